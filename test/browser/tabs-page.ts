/** What runs inside each tab: bundled, served, and called by name from the tests. */
import { tabCoordinator } from '../../src/coordination/tabs.ts'
import type { AuthEventMap, SessionRecord } from '../../src/index.ts'
import { createTabSession, type TabOptions, type TabSession } from './tab-session.ts'

export type { TabOptions } from './tab-session.ts'

let server: string
let session: TabSession
let started: Promise<string> | undefined
let letGo = () => {}
/** What this tab does when it wakes, before its session has heard of it. */
let onWaking = () => {}
let returned = false

// Registered before the session's own listeners, and so called before them.
document.addEventListener('resume', () => onWaking())
addEventListener('pageshow', ({ persisted }) => {
  returned ||= persisted
  onWaking()
})

const told = (error: unknown) => {
  const { name, reason } = error as { name: string; reason?: string }
  return reason ? `${name}: ${reason}` : name
}

async function askAll(path: string, times: number) {
  const results = await Promise.all(Array.from({ length: times }, () => tab.ask(path)))
  return [...new Set(results)].join(', ')
}

export const tab = {
  async open(url: string, options: TabOptions = {}) {
    server = url
    session = createTabSession(url, options)
    // Where any script finds it, to look for tokens.
    Object.assign(globalThis, { auth: session.auth })
    await session.auth.ready()
    return session.auth.state
  },

  signIn: async (username: string) => void (await session.auth.signIn(username)),
  signOut: () => session.auth.signOut(),
  refresh: async () => void (await session.auth.refresh()),
  /** A request of the app: the status it sees, or what it catches. */
  ask: async (path: string) => {
    try {
      return String((await session.send(server + path)).status)
    } catch (error) {
      return told(error)
    }
  },

  /** Starts a refresh that the test does not wait for yet; `result` says how it went. */
  startRefresh() {
    started = session.auth.refresh().then(() => 'refreshed', told)
  },
  /** The same for requests: all of them have to end in the same way. */
  startAsking(path: string, times = 1) {
    started = askAll(path, times)
  },
  /** The same for requests that are sent in the moment in which the tab wakes. */
  askOnWaking(path: string, times = 1) {
    started = new Promise((resolve) => {
      onWaking = () => {
        onWaking = () => {}
        resolve(askAll(path, times))
      }
    })
  },
  result: () => started,

  /** Sends requests for so long, each a moment after the last one was answered: how often the app saw each status. */
  async askConstantly(duration: number, pause: number) {
    const statuses: Record<string, number> = {}
    const end = Date.now() + duration
    while (Date.now() < end) {
      const status = await tab.ask('/api/constant')
      statuses[status] = (statuses[status] ?? 0) + 1
      await new Promise((resolve) => setTimeout(resolve, pause))
    }
    return statuses
  },

  /**
   * Counts in localStorage, in turns that announce what they did. The value is long, so that it is slow on its way to the
   * other tabs: a lock that is let go too early shows every time.
   */
  async countInTurns(times: number) {
    const { exclusive, announce } = tabCoordinator({ name: 'counting' })
    for (let i = 0; i < times; i++) {
      const turn = async () => {
        const count = Number(localStorage.getItem('count'))
        localStorage.setItem('count', String(count + 1).padEnd(100_000))
        announce({ type: 'changed', epoch: 0, generation: 0 })
      }
      await exclusive('count', turn, { signal: new AbortController().signal, timeout: 60_000 })
    }
  },

  /** Takes the lock they count under, until it is let go. */
  holdBack: () =>
    new Promise<void>((held) => {
      void navigator.locks.request('counting:count', () => {
        held()
        return new Promise<void>((resolve) => {
          letGo = resolve
        })
      })
    }),
  letGo: () => letGo(),
  counted: () => Number(localStorage.getItem('count')),

  state: () => session.auth.state,
  subject: () => session.auth.session?.subject,
  expiresAt: () => session.auth.session?.expiresAt,
  token: () => session.auth.getAccessToken({ allowAnonymous: true }),
  stored: (): SessionRecord | null => JSON.parse(localStorage.getItem('authchart') ?? 'null'),
  refreshCalls: () => session.refreshCalls(),
  /** How many requests wait. */
  held: () => session.auth.actor.getSnapshot().context.held,
  /** Whether its session waits for the network, with no token that works. */
  isCutOff: () =>
    session.auth.actor.getSnapshot().matches({ refreshing: { exchange: 'offline', gate: 'closed' } }),
  /** Whether the page came back out of the back/forward cache. */
  returned: () => returned,
  /** Names of what was emitted, transitions left out. */
  history: () => session.auth.history.map(({ type }) => type).filter((type) => type !== 'transition'),
  /** The states the chart has been in, by their paths. */
  places: () => session.auth.history.flatMap((event) => (event.type === 'transition' ? [event.to] : [])),
  /** Why something was emitted, each time it was. */
  reasons: (type: keyof AuthEventMap) =>
    session.auth.history.filter((event) => event.type === type).map(({ reason }) => reason),
}

Object.assign(globalThis, { tab })
