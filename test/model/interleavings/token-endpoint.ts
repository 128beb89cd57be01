import type { RefreshRequest } from '../../../src/core/options.ts'
import type { TokenResponse } from '../../../src/core/ports.ts'
import type { Page } from './clock.ts'
import type { RefreshCall } from './facts.ts'
import { brokenConnection, refusal } from './server.ts'
import type { Surroundings } from './surroundings.ts'
import type { Tab } from './tab.ts'

/** The label of the edge that carries the answer to a refresh of that page. */
export const answerTo = (page: Page) => `the answer to the refresh of ${page.name}`

/** The `refresh` function of a tab. Its request and its answer are two edges, so each may be delayed or lost. */
export function createRefresh(around: Surroundings, tab: Tab) {
  const { config, clock, edges, server, coordinator, underWay, answered } = around
  const { page } = tab

  /** An answer has come, or will not come any more. */
  const end = (refreshCall: RefreshCall) => {
    underWay.delete(refreshCall)
    tab.unanswered.delete(refreshCall)
  }

  /** The server has replaced the refresh token, and the page will never know by what. */
  const lose = ({ family }: RefreshCall) => {
    tab.losses++
    if (family) around.lost.add(family.name)
  }

  function begin(token: string, { signal }: RefreshRequest): RefreshCall {
    const family = server.familyOf(token)
    const refreshCall: RefreshCall = {
      tab,
      token,
      family,
      lock: coordinator.lockOf(page),
      excused: config.coordinator === 'none' || coordinator.excuses(page),
      beside: [...underWay].filter((other) => other.family === family && !other.tab.page.closed),
      answeredTo: answered.get(token) ?? [],
      aborted: false,
    }
    around.facts.refreshes.push(refreshCall)
    underWay.add(refreshCall)
    signal.addEventListener('abort', () => {
      refreshCall.aborted = true
      tab.gaveUpAt = clock.uptime
      tab.losses++
      // An obedient function rejects at once.
      if (underWay.delete(refreshCall) && !config.obedient) tab.unanswered.add(refreshCall)
    })
    return refreshCall
  }

  async function answer(token: string, refreshCall: RefreshCall): Promise<TokenResponse> {
    const lost = { error: brokenConnection() }
    const act = () => (around.online ? server.act(token) : lost)
    const answered = await edges.travel(
      `the refresh of ${page.name} reaches the server`,
      undefined,
      act,
      () => lost,
    )
    if (!answered) {
      lose(refreshCall)
      return new Promise(() => {})
    }
    const arrive = () => {
      end(refreshCall)
      if ('error' in answered) {
        if (answered.error === lost.error) tab.losses++
        else if ((answered.error as { status?: number }).status === 400) tab.fatal++
        else lose(refreshCall)
        throw answered.error
      }
      if (answered.answer.access_token === undefined || (config.obedient && refreshCall.aborted))
        lose(refreshCall)
      else note(token, refreshCall)
      return tab.receive(answered.answer)
    }
    const isLost = () => {
      end(refreshCall)
      lose(refreshCall)
      throw brokenConnection()
    }
    return edges.travel(answerTo(page), page, arrive, isLost)
  }

  function note(token: string, { lock }: RefreshCall) {
    answered.set(token, [...(answered.get(token) ?? []), { tab, locked: lock !== undefined }])
  }

  return (request: RefreshRequest): Promise<TokenResponse> => {
    // A page that was killed sends nothing any more.
    if (page.closed) return new Promise(() => {})
    const token = config.cookie ? server.jar : request.refreshToken
    if (token === undefined) {
      tab.fatal++
      return Promise.reject(refusal())
    }
    const refreshCall = begin(token, request)
    const answered = answer(token, refreshCall)
    if (!config.obedient) return answered
    return Promise.race([
      answered,
      new Promise<never>((_, reject) => {
        request.signal.addEventListener('abort', () => reject(new DOMException('given up', 'AbortError')))
      }),
    ])
  }
}
