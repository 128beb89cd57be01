/** The actions of the buttons. No action rejects: each resolves to a sentence for the status line. */
import { SessionExpiredError } from 'authchart'
import type { OAuth, SignInRequest } from 'authchart/oauth2'
import { inPopup, signOut as signOutAtProvider } from '../../../examples/oauth/client.ts'
import { control } from './network.ts'
import { requests } from './requests.ts'
import { auth, type Credentials, device, environment, oauth } from './session.ts'
import { whyNot } from './words.ts'

/** A button. */
export interface Action {
  /** Its `data-action`. */
  readonly id: string
  readonly label: string
  /** What the user should watch. */
  readonly hint: string
  /** Whether it is on. For buttons that stay pressed only. */
  readonly isOn?: () => boolean
  /** Runs the action, and resolves to the text for the status line. */
  run(): Promise<string>
}

export interface ActionGroup {
  readonly id: string
  readonly title: string
  readonly actions: readonly Action[]
}

/** Runs the work. Resolves to its result, or to the reason why it failed. */
const attempt = (work: () => Promise<string>) => () => work().catch(whyNot)

/** Creates an action that calls a control of the server. */
const onServer = (name: string, done: string) =>
  attempt(async () => {
    await control(name)
    return done
  })

export async function signIn(request: Credentials | SignInRequest): Promise<string> {
  try {
    const { subject } = await auth.signIn(request)
    return `Signed in as ${subject}.`
  } catch (error) {
    return `Not signed in. ${whyNot(error)}`
  }
}

/** Signs in at a provider. Call it in the click, because it opens a popup. */
export const signInAtProvider = (provider: OAuth) => signIn(inPopup(provider))

async function signOut(): Promise<string> {
  const { iss } = auth.session?.claims ?? {}
  if (oauth && iss !== undefined) await signOutAtProvider(auth, oauth)
  else await auth.signOut()
  return 'Signed out.'
}

async function refresh(): Promise<string> {
  try {
    const { generation } = await auth.refresh()
    return `Token ${generation} received.`
  } catch (error) {
    const isLast = error instanceof SessionExpiredError && auth.session !== undefined
    return isLast ? `No new token (${error.reason}). The current one is the last.` : whyNot(error)
  }
}

export const sessionActions: readonly Action[] = [
  {
    id: 'sign-in-other',
    label: 'Sign in as someone else',
    hint: 'No request of one user is ever sent for the other.',
    run: () => signIn({ username: auth.session?.subject === 'grace' ? 'ada' : 'grace' }),
  },
  {
    id: 'sign-out',
    label: 'Sign out',
    hint: 'Ends here at once. The server then revokes the tokens.',
    run: attempt(signOut),
  },
]

export const groups: readonly ActionGroup[] = [
  {
    id: 'send',
    title: 'Send',
    actions: [
      {
        id: 'request',
        label: 'Send one request',
        hint: 'It carries the token, or waits for one.',
        run: requests.sendOne,
      },
      {
        id: 'burst',
        label: '100 parallel requests',
        hint: 'One refresh serves all that get a 401.',
        run: requests.sendBurst,
      },
      {
        id: 'refresh',
        label: 'Refresh now',
        hint: 'Meanwhile, requests use the old token.',
        run: refresh,
      },
    ],
  },
  {
    id: 'server',
    title: 'Break the server',
    actions: [
      {
        id: 'expire-access-token',
        label: 'Expire access token',
        hint: 'The next request gets a 401 and is replayed.',
        run: onServer('expire-access-token', 'The server rejects all access tokens issued until now.'),
      },
      {
        id: 'kill-refresh-token',
        label: 'Kill refresh token',
        hint: 'The next refresh fails: this access token is the last.',
        run: onServer('kill-refresh-token', 'The next refresh will fail for good: invalid_grant.'),
      },
      {
        id: 'fail-refreshes',
        label: 'Fail 3 refreshes',
        hint: 'Each gets a 500. The session backs off and survives.',
        run: onServer('fail-refreshes', 'The next three refreshes will get a 500.'),
      },
      {
        id: 'lose-answer',
        label: 'Lose an answer',
        hint: 'The next refresh succeeds, but its answer is lost.',
        run: onServer('lose-answer', 'The answer to the next refresh will be lost.'),
      },
    ],
  },
  {
    id: 'device',
    title: 'Break the device',
    actions: [
      {
        id: 'offline',
        label: 'Offline',
        hint: 'Disconnects this tab. A refresh waits for the network.',
        isOn: () => !environment.isPlugged,
        run: attempt(async () => {
          await device.setOnline(!environment.isPlugged)
          return environment.isPlugged ? 'This tab is back online.' : 'This tab is offline.'
        }),
      },
      {
        id: 'sleep',
        label: 'Sleep for a minute',
        hint: 'Timers stop, the clock does not. Then it refreshes.',
        run: attempt(async () => {
          await device.sleep()
          return 'Awake again. A minute has passed.'
        }),
      },
      {
        id: 'skew-clock',
        label: 'Clock 1 h ahead',
        hint: 'Lifetimes count from receipt, so the session survives.',
        isOn: () => device.isSkewed,
        run: attempt(async () => {
          device.setSkewed(!device.isSkewed)
          return device.isSkewed ? 'The clock is an hour ahead.' : 'The clock is right again.'
        }),
      },
      {
        id: 'second-tab',
        label: 'Open a second tab',
        hint: 'Both share the session. Only one tab refreshes.',
        run: attempt(async () => {
          open(location.href, '_blank', 'noopener')
          return 'The other tab has the same session.'
        }),
      },
    ],
  },
]
