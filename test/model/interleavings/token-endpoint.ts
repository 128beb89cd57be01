import type { RefreshRequest } from '../../../src/core/options.ts'
import type { TokenResponse } from '../../../src/core/ports.ts'
import type { Exchange } from './facts.ts'
import { brokenConnection, refusal } from './server.ts'
import type { Surroundings } from './surroundings.ts'
import type { Tab } from './tab.ts'

/** A tab's `refresh` function: a request to the server and an answer from it, each of which takes its time. */
export function createRefresh(around: Surroundings, tab: Tab) {
  const { config, edges, server, coordinator, underWay, answered } = around
  const { page } = tab

  function begin(token: string, { signal }: RefreshRequest): Exchange {
    const family = server.familyOf(token)
    const exchange: Exchange = {
      tab,
      token,
      family,
      lock: coordinator.lockOf(page),
      excused: config.coordinator === 'none' || coordinator.excuses(page),
      beside: [...underWay].filter((other) => other.family === family && !other.tab.page.gone),
      answeredTo: answered.get(token) ?? [],
      aborted: false,
    }
    around.facts.exchanges.push(exchange)
    underWay.add(exchange)
    signal.addEventListener('abort', () => {
      exchange.aborted = true
      tab.losses++
      underWay.delete(exchange)
    })
    return exchange
  }

  async function answer(token: string, exchange: Exchange): Promise<TokenResponse> {
    const lost = { error: brokenConnection() }
    const act = () => (around.online ? server.act(token) : lost)
    const answered = await edges.travel(
      `the refresh of ${page.name} reaches the server`,
      undefined,
      act,
      () => lost,
    )
    if (!answered) {
      tab.losses++
      return new Promise(() => {})
    }
    const arrive = () => {
      underWay.delete(exchange)
      if ('error' in answered) {
        if (answered.error === lost.error) tab.losses++
        else if ((answered.error as { status?: number }).status === 400) tab.fatal++
        throw answered.error
      }
      if (answered.answer.access_token === undefined) tab.losses++
      else if (!(config.obedient && exchange.aborted)) note(token, exchange)
      return server.show(answered.answer)
    }
    const lose = () => {
      underWay.delete(exchange)
      tab.losses++
      throw brokenConnection()
    }
    return edges.travel(`the answer to the refresh of ${page.name}`, page, arrive, lose)
  }

  function note(token: string, { lock }: Exchange) {
    if (tab.disposed) return
    answered.set(token, [...(answered.get(token) ?? []), { tab, locked: lock !== undefined }])
  }

  return (request: RefreshRequest): Promise<TokenResponse> => {
    const token = config.cookie ? server.jar : request.refreshToken
    if (token === undefined) {
      tab.fatal++
      return Promise.reject(refusal())
    }
    const exchange = begin(token, request)
    const answered = answer(token, exchange)
    if (!config.obedient) return answered
    return Promise.race([
      answered,
      new Promise<never>((_, reject) => {
        request.signal.addEventListener('abort', () => reject(new DOMException('given up', 'AbortError')))
      }),
    ])
  }
}
