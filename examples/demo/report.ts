import type { AuthEmitted, AuthEventMap } from '../../src/index.ts'
import type { Fault } from './faults.ts'
import type { Load } from './load.ts'
import type { Screen } from './screen.ts'

const FAULTS: Record<Fault, string> = {
  serverError: 'the token endpoint answers 500',
  tooManyRequests: 'the token endpoint answers 429, Retry-After: 1',
  dropped: 'the connection to the token endpoint is dropped',
}

/** Explanations of some states. */
const MEANING: Record<string, string> = {
  authenticating: 'requests wait',
  'refreshing.gate.open': 'the token still works: requests pass',
  'refreshing.gate.closed': 'requests wait',
  'refreshing.attempt.ambiguous': 'was the refresh token spent?',
}

interface Watched {
  on<T extends keyof AuthEventMap>(type: T, listener: (event: AuthEventMap[T]) => void): unknown
}

/** Prints events as they happen, and counts them. */
export function createReport(screen: Screen) {
  const began = Date.now()
  const counts = { held: 0, replayed: 0, refreshes: 0, refreshesRetried: 0 }
  const faults: Record<Fault, number> = { serverError: 0, tooManyRequests: 0, dropped: 0 }
  const transitions: { at: number; from: string; to: string; reason: string }[] = []
  let waiting = 0
  let timer: NodeJS.Timeout | undefined

  const clock = (at = Date.now()) => ((at - began) / 1_000).toFixed(3).padStart(7)
  const server = (does: string) => screen.line(`${clock()}  ${screen.paint('yellow', `server: ${does}`)}`)

  return {
    counts,
    faults,
    transitions,
    /** Prints an action of the server. */
    server,

    fault(fault: Fault) {
      faults[fault]++
      server(FAULTS[fault])
    },

    watch(auth: Watched) {
      /** The explanation of the next transition. The event that explains it comes just before it. */
      let reason = ''
      auth.on('requestHeld', ({ count, held }) => {
        counts.held += count
        waiting = held
      })
      auth.on('requestReplayed', ({ count, held }) => {
        counts.replayed += count
        waiting = held
      })
      auth.on('signedIn', ({ generation }) => {
        reason = `token ${generation}`
      })
      auth.on('refreshed', ({ generation }) => {
        counts.refreshes++
        reason = `token ${generation}`
      })
      auth.on('refreshFailed', (failure) => {
        if (!failure.fatal) counts.refreshesRetried++
        reason = describeFailure(failure)
      })
      auth.on('transition', ({ at, from, to, reason: end }) => {
        if (to === 'authenticated') waiting = 0
        reason ||= end ?? MEANING[to] ?? ''
        transitions.push({ at: at - began, from, to, reason })
        screen.line(`${clock(at)}  ${from} → ${to}${reason && screen.paint('dim', `  (${reason})`)}`)
        reason = ''
      })
    },

    startProgress({ tallies }: Load) {
      const show = () => {
        const { sent, succeeded, unauthorized } = tallies.all!
        const seen = `${sent} sent, ${succeeded} succeeded, ${unauthorized} 401s seen`
        screen.progress(`${clock()}  ${seen}, ${waiting} waiting`)
      }
      timer = setInterval(show, screen.pace)
    },

    stopProgress() {
      clearInterval(timer)
      screen.endProgress()
    },

    /** Prints the last events of a session's history, which show why it ended. */
    history(events: readonly AuthEmitted[]) {
      for (const event of events) {
        const { type, at, reason = '' } = event
        const what = type === 'transition' ? `${event.from} → ${event.to}` : type
        screen.line(`${clock(at)}  ${what}${reason && `  (${reason})`}`)
      }
    },
  }
}

function describeFailure({ at, fatal, reason = '', status, retryAt = at }: AuthEventMap['refreshFailed']) {
  const answer = status === undefined ? reason : `${reason}, ${status}`
  return fatal ? answer : `${answer}; again in ${Math.max(0, Math.round(retryAt - at))} ms`
}
