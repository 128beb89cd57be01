/** The script of the page of the browser suites: an app that signs in at the issuer in `setUp`. */
import { tabCoordinator } from '../../src/coordination/tabs.ts'
import { createAuth, createBranch, onStepUp } from '../../src/index.ts'
import { inspectAuth } from '../../src/inspect/index.ts'
import { createOAuth, stepUp, webTransactions } from '../../src/oauth2/index.ts'
import { webStorage } from '../../src/storage/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'

/** How the page behaves: the server writes it into the page. */
export interface SetUp {
  readonly issuer: string
  /** Redeems the answer twice, as React's StrictMode runs effects twice. */
  readonly isStrict?: boolean
  /** A page of the site that stands for that of the server. */
  readonly authorizationPage?: string
  /** Time passes a thousand times as fast. */
  readonly isFast?: boolean
  /** Sign-ins in progress are kept where other windows do not find them. */
  readonly memory?: boolean
  /** Each tab has a session of its own. */
  readonly isSeparate?: boolean
  /** An API that may demand a stronger sign-in, and how the user signs in then. */
  readonly resource?: string
  readonly stepUp?: 'popup' | 'redirect'
  /** The APIs of branches. */
  readonly branches?: readonly string[]
}

declare const setUp: SetUp

const fast = {
  now: () => performance.now() * 1_000,
  setTimeout: (callback: () => void, delay: number) => setTimeout(callback, delay / 1_000),
  clearTimeout: (handle: unknown) => clearTimeout(handle as number),
}
const oauth = createOAuth({
  issuer: setUp.issuer,
  clientId: 'app',
  redirectUri: `${location.origin}/callback`,
  postLogoutRedirectUri: `${location.origin}/signed-out`,
  ...(setUp.authorizationPage && {
    server: {
      issuer: setUp.issuer,
      authorization_endpoint: location.origin + setUp.authorizationPage,
      token_endpoint: `${setUp.issuer}/token`,
    },
  }),
  ...(setUp.branches && { resource: 'https://api.example.com/', branchResource: setUp.branches }),
  ...(setUp.isFast && { clock: fast }),
  ...(setUp.memory && { transactions: webTransactions(() => sessionStorage) }),
})
const auth = createAuth({
  ...oauth.ports,
  storage: webStorage(() => (setUp.isSeparate ? sessionStorage : localStorage)),
  ...((setUp.branches || setUp.resource) && { coordinator: tabCoordinator() }),
})
const branches = (setUp.branches ?? []).map((resource) => createBranch(auth, { resource }))
const frames: unknown[] = []
inspectAuth(auth, (frame) => void frames.push(frame))

const api = setUp.resource ? createAuthFetch(auth, { origins: [setUp.resource] }) : fetch
onStepUp(
  auth,
  stepUp(oauth, async () => {
    if (setUp.stepUp === 'redirect') return { via: 'redirect' }
    const again = document.body.appendChild(document.createElement('button'))
    again.id = 'again'
    // Browsers open a popup only in a click.
    await new Promise((resolve) => again.addEventListener('click', resolve, { once: true }))
    again.remove()
    const popup = oauth.openPopup()
    return popup && { via: 'popup', window: popup }
  }),
)

/** What became of the last sign-in: the user or the reason. */
let result: string | undefined
const settle = (signedIn: Promise<{ readonly subject?: string }>) =>
  signedIn.then(
    ({ subject }) => {
      result = subject
    },
    (error) => {
      if (error.reason !== 'superseded') result = error.reason ?? error.message
    },
  )
if (oauth.isCallback) {
  void settle(auth.signIn({ via: 'callback' }))
  if (setUp.isStrict) void settle(auth.signIn({ via: 'callback' }))
}

const app = {
  oauth,
  auth,
  branches,
  result: () => result,
  signIn: (request: Parameters<typeof auth.signIn>[0]) => {
    result = undefined
    void settle(auth.signIn(request))
  },
  popup() {
    const popup = oauth.openPopup()
    app.signIn(popup ? { via: 'popup', window: popup } : { via: 'redirect' })
  },
  /** Sends that many requests at once. Returns their statuses. */
  call: (path: string, count = 1) =>
    Promise.all(Array.from({ length: count }, async () => (await api(`${setUp.resource}${path}`)).status)),
  /** Everything of the session that a tool can show. */
  seen: () =>
    JSON.stringify([
      frames,
      auth.history,
      auth.actor.getSnapshot(),
      location.href,
      document.referrer,
      history.state,
    ]),
}
document.body.innerHTML = '<button>Sign in</button>'
document.querySelector('button')?.addEventListener('click', app.popup)
Object.assign(globalThis, { app })

export type App = typeof app
