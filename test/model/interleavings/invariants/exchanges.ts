import type { Exchange } from '../facts.ts'
import { SECRET } from '../server.ts'
import type { Surroundings } from '../surroundings.ts'
import { broken, orderly } from './order.ts'

/** Without the lock, siblings may both exchange: then the commit is guarded, and the server's grace is needed. */
export function* oneExchangeAtATime({ facts, config }: Surroundings) {
  for (const exchange of facts.exchanges) {
    if (!exchange.lock && !exchange.excused) yield `${nameOf(exchange)} began without the lock`
    for (const other of exchange.beside) {
      if (mayOverlap(exchange, other)) continue
      yield `${nameOf(exchange)} began beside ${nameOf(other)}${config.coordinator === 'none' ? '' : ', in spite of the lock'}`
    }
  }
  for (const { page } of facts.needless) yield `${page.name} renewed because of a refusal of an older token`
}

function mayOverlap(exchange: Exchange, other: Exchange): boolean {
  const bothLocked = exchange.lock !== undefined && other.lock?.failed === false
  if (exchange.tab !== other.tab) return !bothLocked
  // The first try was answered late, and its second one is left to run out: nobody waits for it.
  return !bothLocked && exchange.token !== other.token
}

const nameOf = ({ tab, token }: Exchange) => `the exchange of ${shorten(token)} by ${tab.page.name}`
const shorten = (token: string) => token.replace(`${SECRET}-`, '')

/** A refresh token whose answer came is dead for whoever knows: the tab, and with a lock and a store its siblings. */
export function* answeredTokensAreDone(around: Surroundings) {
  if (around.config.cookie) return
  for (const exchange of around.facts.exchanges) {
    const { tab, answeredTo } = exchange
    const here = answeredTo.some((answered) => answered.tab === tab) && !broken(around)
    // What was got without the lock may be on its way to the store still.
    const told = answeredTo.filter(({ locked }) => locked || !around.config.slowStore)
    const there =
      orderly(around) &&
      exchange.lock &&
      told.some((answered) => !answered.tab.page.gone && !answered.tab.disposed)
    if (here || there) yield `${nameOf(exchange)} came after it was answered`
  }
}
