/** The script of each tab. It is bundled and served, and the tests call its functions by name. */
import { tabCoordinator } from '../../src/coordination/tabs.ts'
import type { AuthEventMap, SessionRecord } from '../../src/index.ts'
import { createTabSession, type TabOptions, type TabSession } from './tab-session.ts'

export type { TabOptions } from './tab-session.ts'

let server: string
let session: TabSession
let started: Promise<string> | undefined
let releaseLock = () => {}
/** Called when this tab wakes, before the session is notified. */
let onWake = () => {}
let returned = false

// Registered before the listeners of the session, so called before them.
document.addEventListener('resume', () => onWake())
addEventListener('pageshow', ({ persisted }) => {
  returned ||= persisted
  onWake()
})

const describeError = (error: unknown) => {
  const { name, reason } = error as { name: string; reason?: string }
  return reason ? `${name}: ${reason}` : name
}

async function requestAll(path: string, times: number) {
  const results = await Promise.all(Array.from({ length: times }, () => tab.request(path)))
  return [...new Set(results)].join(', ')
}

export const tab = {
  async open(url: string, options: TabOptions = {}) {
    server = url
    session = createTabSession(url, options)
    // A global, so that any script can search it for tokens.
    Object.assign(globalThis, { auth: session.auth })
    await session.auth.ready()
    return session.auth.state
  },

  signIn: async (username: string) => void (await session.auth.signIn(username)),
  signOut: () => session.auth.signOut(),
  refresh: async () => void (await session.auth.refresh()),
  /** Sends a request of the app. Returns the status or the error that the app sees. */
  request: async (path: string) => {
    try {
      return String((await session.send(server + path)).status)
    } catch (error) {
      return describeError(error)
    }
  },

  /** Starts a refresh without waiting for it. `result` returns its outcome. */
  startRefresh() {
    started = session.auth.refresh().then(() => 'refreshed', describeError)
  },
  /** Starts requests without waiting for them. `result` returns all distinct outcomes. */
  startRequests(path: string, times = 1) {
    started = requestAll(path, times)
  },
  /** Like `startRequests`, but the requests are sent at the moment the tab wakes. */
  requestOnWake(path: string, times = 1) {
    started = new Promise((resolve) => {
      onWake = () => {
        onWake = () => {}
        resolve(requestAll(path, times))
      }
    })
  },
  result: () => started,

  /** Sends requests one after another for `duration` ms. Returns how often the app saw each status. */
  async requestConstantly(duration: number, pause: number) {
    const statuses: Record<string, number> = {}
    const end = Date.now() + duration
    while (Date.now() < end) {
      const status = await tab.request('/api/constant')
      statuses[status] = (statuses[status] ?? 0) + 1
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
    return statuses
  },

  /**
   * Counts in localStorage, under a lock, and announces each change. The value is long, so that it reaches the other tabs
   * slowly: if the lock is released too early, the count is wrong every time.
   */
  async countUnderLock(times: number) {
    const { exclusive, announce } = tabCoordinator({ name: 'counting' })
    for (let i = 0; i < times; i++) {
      const increment = async () => {
        const count = Number(localStorage.getItem('count'))
        localStorage.setItem('count', String(count + 1).padEnd(100_000))
        announce({ type: 'changed', epoch: 0, generation: 0 })
      }
      await exclusive('count', increment, { signal: new AbortController().signal, timeout: 60_000 })
    }
  },

  /** Takes the lock of `countUnderLock` until `releaseLock` is called. */
  holdLock: () =>
    new Promise<void>((held) => {
      void navigator.locks.request('counting:count', () => {
        held()
        return new Promise<void>((resolve) => {
          releaseLock = resolve
        })
      })
    }),
  releaseLock: () => releaseLock(),
  counted: () => Number(localStorage.getItem('count')),

  state: () => session.auth.state,
  subject: () => session.auth.session?.subject,
  expiresAt: () => session.auth.session?.expiresAt,
  token: () => session.auth.getAccessToken({ allowAnonymous: true }),
  stored: (): SessionRecord | null => JSON.parse(localStorage.getItem('authchart') ?? 'null'),
  refreshCalls: () => session.refreshCalls(),
  /** How many requests are held. */
  held: () => session.auth.actor.getSnapshot().context.held,
  /** Whether the session waits for the network without a valid token. */
  isCutOff: () =>
    session.auth.actor.getSnapshot().matches({ refreshing: { attempt: 'offline', gate: 'closed' } }),
  /** Whether the page was restored from the back/forward cache. */
  returned: () => returned,
  /** The types of all emitted events except transitions. */
  history: () => session.auth.history.map(({ type }) => type).filter((type) => type !== 'transition'),
  /** The reason of each emitted event of this type. */
  reasons: (type: keyof AuthEventMap) =>
    session.auth.history.filter((event) => event.type === type).map(({ reason }) => reason),
}

Object.assign(globalThis, { tab })
