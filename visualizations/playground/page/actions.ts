/** What the buttons do. Nothing here rejects: how it went is told in words. */
import { SessionExpiredError } from 'authchart'
import { control } from './network.ts'
import { requests } from './requests.ts'
import { auth, device, environment } from './session.ts'
import { whyNot } from './words.ts'

/** A button. */
export interface Action {
  /** Its `data-action`. */
  readonly id: string
  readonly label: string
  /** What to watch. */
  readonly hint: string
  /** Whether it is on, where it stays pressed. */
  readonly isOn?: () => boolean
  /** Gives what to tell. */
  run(): Promise<string>
}

export interface ActionGroup {
  readonly id: string
  readonly title: string
  readonly actions: readonly Action[]
}

/** Does it, and tells either how it went or why it did not go. */
const attempt = (work: () => Promise<string>) => () => work().catch(whyNot)

/** Does something to the server. */
const onServer = (name: string, done: string) =>
  attempt(async () => {
    await control(name)
    return done
  })

export async function signIn(username: string): Promise<string> {
  try {
    const { subject } = await auth.signIn({ username })
    return `Signed in as ${subject}.`
  } catch (error) {
    return `Not signed in. ${whyNot(error)}`
  }
}

async function refresh(): Promise<string> {
  try {
    const { generation } = await auth.refresh()
    return `Token ${generation} is here.`
  } catch (error) {
    const isLast = error instanceof SessionExpiredError && auth.session !== undefined
    return isLast ? `No new token (${error.reason}). The one at hand is the last.` : whyNot(error)
  }
}

export const sessionActions: readonly Action[] = [
  {
    id: 'sign-in-other',
    label: 'Sign in as someone else',
    hint: 'No request of one is ever sent for the other.',
    run: () => signIn(auth.session?.subject === 'grace' ? 'ada' : 'grace'),
  },
  {
    id: 'sign-out',
    label: 'Sign out',
    hint: 'Over here at once; then the server is told.',
    run: attempt(async () => {
      await auth.signOut()
      return 'Signed out.'
    }),
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
        hint: 'It takes the token along, or waits for one.',
        run: requests.sendOne,
      },
      {
        id: 'burst',
        label: '100 parallel requests',
        hint: 'One refresh serves all that are refused.',
        run: requests.sendBurst,
      },
      {
        id: 'refresh',
        label: 'Refresh now',
        hint: 'Requests go on with the old token meanwhile.',
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
        hint: 'The next request gets a 401, and is sent again.',
        run: onServer('expire-access-token', 'The server takes no access token issued until now.'),
      },
      {
        id: 'kill-refresh-token',
        label: 'Kill refresh token',
        hint: 'Seen at the next refresh: this token is the last.',
        run: onServer('kill-refresh-token', 'The next refresh is refused for good: invalid_grant.'),
      },
      {
        id: 'fail-refreshes',
        label: 'Fail 3 refreshes',
        hint: 'A 500 each. It waits longer, and stays signed in.',
        run: onServer('fail-refreshes', 'The next three refreshes get a 500.'),
      },
      {
        id: 'lose-answer',
        label: 'Lose an answer',
        hint: 'The next refresh is done; its answer never comes.',
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
        hint: 'Cuts off this tab. A refresh waits for the network.',
        isOn: () => !environment.isPlugged,
        run: attempt(async () => {
          await device.setOnline(!environment.isPlugged)
          return environment.isPlugged ? 'This tab is back online.' : 'This tab is offline.'
        }),
      },
      {
        id: 'sleep',
        label: 'Sleep for a minute',
        hint: 'Timers freeze, clocks go on. It wakes, and renews.',
        run: attempt(async () => {
          await device.sleep()
          return 'Awake again. A minute has passed.'
        }),
      },
      {
        id: 'skew-clock',
        label: 'Clock 1 h ahead',
        hint: 'Lives count from receipt: nobody is signed out.',
        isOn: () => device.isSkewed,
        run: attempt(async () => {
          device.setSkewed(!device.isSkewed)
          return device.isSkewed ? 'The clock is an hour ahead.' : 'The clock is right again.'
        }),
      },
      {
        id: 'second-tab',
        label: 'Open a second tab',
        hint: 'It shares the session. One at a time refreshes.',
        run: attempt(async () => {
          open(location.href, '_blank', 'noopener')
          return 'The other tab has the same session.'
        }),
      },
    ],
  },
]
