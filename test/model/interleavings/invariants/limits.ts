import { runs } from '../clock.ts'
import type { Surroundings } from '../surroundings.ts'

/** For how long a late timer and a slow store may delay the end of an unused session, in milliseconds. */
const STORE_TIME = 3_100

/** A limit ends a session in time, and not before. After a jump of the clock, timers are late. */
export function* limitsHold({ facts, tabs, config, clock }: Surroundings) {
  yield* facts.early
  if (clock.jumps > 0) return
  const touchedAt = Math.max(...tabs.map((tab) => tab.touchedAt))
  for (const tab of tabs) {
    const family = tab.family()
    if (!family || tab.disposed || !runs(tab.page) || clock.overdue(tab.page)) continue
    if (!['authenticated', 'refreshing'].includes(tab.auth.state)) continue
    const lived = clock.now() - family.startedAt
    if (!config.cookie && lived > config.absolute) yield `${tab.page.name} is signed in after ${lived} ms`
    // The store is asked first, which takes time, and a thawed page asks late.
    const unused = clock.now() - Math.max(touchedAt, tab.thawedAt - config.idle)
    if (unused > config.idle + STORE_TIME)
      yield `${tab.page.name} is signed in ${unused} ms after its last use`
  }
}
