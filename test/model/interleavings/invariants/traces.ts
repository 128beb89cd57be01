import { SECRET } from '../server.ts'
import type { Surroundings } from '../surroundings.ts'

export function* secretsStayInside({ facts, tabs }: Surroundings) {
  const exposed: unknown[] = [
    ...facts.events.map(({ event }) => event),
    facts.announcements.map(({ message }) => message),
  ]
  for (const { error, failed } of facts.settlements) if (failed) exposed.push(account(error))
  if (exposed.length === 0) return
  for (const tab of tabs) {
    if (!tab.disposed) exposed.push(tab.auth.session, tab.auth.actor.getSnapshot().context)
  }
  const text = JSON.stringify(exposed)
  const at = text.indexOf(SECRET)
  if (at >= 0) yield `a secret was exposed: …${text.slice(Math.max(0, at - 60), at + 30)}…`
}

/** Everything that a log would show of an error. */
function account(error: unknown, depth = 0): unknown {
  if (!(error instanceof Error) || depth > 4) return String(error)
  return [error.message, error.stack, { ...error }, account(error.cause, depth + 1)]
}

/** How long the answer to a refresh that was given up may come, in milliseconds: `timeouts.refresh`, and a late timer's grace. */
const LATE = 11_000

/** How long an operation of the store may take, in milliseconds: `timeouts.storage`, and a late timer's grace. */
const STORAGE = 3_000

export function* nothingIsLeftBehind(around: Surroundings) {
  const { tabs, clock, coordinator, store, listening, underWay, edges } = around
  for (const tab of tabs) {
    const { page, disposed } = tab
    if (!disposed || page.closed) continue
    // A refresh that was sent outlives its session: until it is answered, and its answer is stored.
    const hasGivenUp = tab.gaveUpAt > Number.NEGATIVE_INFINITY
    const isThawed = clock.now() - tab.thawedAt <= LATE
    const isLate = clock.uptime - tab.gaveUpAt <= LATE || (hasGivenUp && isThawed)
    // An attempt that began after a cool-down may have waited for the answer to an earlier one.
    const isAwaited = tab.unanswered.size > 0 && clock.uptime - tab.disposedAt <= LATE
    const isSent = isLate || isAwaited || [...underWay].some((refreshCall) => refreshCall.tab === tab)
    // The answer of a refresh that was sent is stored, by a store that may hang; a timer that was late waits once more.
    const isHanging = clock.uptime - store.hungAt(page) <= STORAGE || clock.now() - tab.thawedAt <= STORAGE
    const isStoring = isHanging || edges.labels().some((label) => label.endsWith(`of ${page.name}`))
    const timers = clock.pending(page)
    // Of the refresh, of the lock that is kept for its answer, and of the store. All of them end in bounded time.
    if (timers > (isSent || isStoring ? 3 : 0)) yield `${page.name} left ${timers} timers behind`
    if (listening(page) > 0) yield `${page.name} left listeners in its environment`
    if (coordinator.listens(page)) yield `${page.name} left a listener in its coordinator`
    if (store.listens(page)) yield `${page.name} left a listener in its store`
    if (coordinator.involves(page) && !isSent && !isStoring) yield `${page.name} left a lock behind`
  }
}
