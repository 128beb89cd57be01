import { bearerRequest } from '../../../src/core/requests/bearer-request.ts'
import type { Challenge } from '../../../src/core/requests/challenge.ts'
import { createTargetGuard } from '../../../src/transports/origins.ts'
import { HOLD } from './config.ts'
import type { Call, View } from './facts.ts'
import { brokenConnection, SECRET } from './server.ts'
import type { Refusal, Surroundings } from './surroundings.ts'
import type { Tab } from './tab.ts'

export const OWN_API = 'https://api.example.com/things'
const FOREIGN_API = 'https://api.example.com.evil.test/things'

/** Endpoints that refuse every token. */
export const PICKY = ['picky 1', 'picky 2', 'picky 3', 'picky 4', 'picky 5', 'picky 6', 'picky 7'] as const

export interface RequestPlan {
  /** `plain` checks the token, the picky ones always answer 401, `strict` answers 403 and asks for more scope. */
  readonly endpoint: 'plain' | (typeof PICKY)[number] | 'strict'
  readonly foreign: boolean
  /** Whether it may be sent again, and whether the 401 of another request may abort it for that. */
  readonly behaviour: 'replayable' | 'once' | 'abortable'
  readonly timeout: number | undefined
}

interface Answer {
  readonly status: number
}

const targetOf = createTargetGuard('The model', { origins: [OWN_API] })
const tokenMayGo = (url: string) => targetOf(url) !== undefined

/** After so many 401s, which may have caused as many refreshes, another one may say nothing about the token. */
const DOUBTFUL = 3

/** How long a call may wait if it has to wait for a sign-in, a first token and a store. In milliseconds. */
export const LONG = 20 * HOLD

/** The calls that the app of one tab makes to the library. */
export function createCalls(around: Surroundings) {
  const { clock, edges, server } = around

  function track(tab: Tab, name: string, given: Partial<Call>, run: (call: Call) => Promise<unknown>): Call {
    const { session } = tab.view()
    const call: Call = {
      tab,
      name,
      owner: session?.subject,
      epoch: session?.epoch,
      generation: session?.generation,
      family: tab.family()?.name,
      madeAt: clock.now(),
      replayable: true,
      patience: LONG,
      controller: undefined,
      minValidity: 0,
      sends: 0,
      settlements: 0,
      inFlight: false,
      holds: 0,
      waitingSince: clock.uptime,
      frozenFor: tab.frozenFor,
      openings: tab.openings,
      ...given,
    }
    tab.calls.push(call)
    tab.touchedAt = clock.now()
    const complete = (failed: boolean, error?: unknown, value?: unknown) => {
      call.settlements++
      tab.touchedAt = clock.now()
      call.gave = value
      call.inFlight = false
      const beside = tab.calls.filter((other) => other.settlements === 0 && !other.inFlight).length
      around.facts.settlements.push({
        call,
        failed,
        error,
        waited: clock.uptime - call.waitingSince + clock.jumps,
        beside,
      })
    }
    run(call).then(
      (value) => complete(false, undefined, value),
      (error) => complete(true, error),
    )
    return call
  }

  /** Sends a request to the API. The API decides when it is sent; its answer is an edge. */
  function send(
    call: Call,
    { endpoint, foreign }: RequestPlan,
    authorization: string | undefined,
    abort?: AbortSignal,
  ) {
    const { tab } = call
    const { page } = tab
    call.sends++
    call.inFlight = true
    tab.touchedAt = clock.now()
    // It was made in this session and was sent with its token, so the session was used when it was made.
    const sent = server.familyOf(authorization)?.name
    if (sent !== undefined && sent === call.family && !foreign)
      tab.uses.set(sent, Math.max(call.madeAt, tab.uses.get(sent) ?? 0))
    const view = tab.view()
    const generation = view.session?.generation ?? -1
    const refused = !foreign && tab.refused.has(generation)
    around.facts.sendings.push({ call, url: foreign ? FOREIGN_API : OWN_API, authorization, refused, view })
    const accepted = server.accepts(authorization)
    const status = endpoint === 'strict' ? 403 : accepted && endpoint === 'plain' ? 200 : 401
    let ended = false
    const back = () => {
      // After an abort, the call already waits for something else.
      if (ended) return
      ended = true
      tab.touchedAt = clock.now()
      call.inFlight = false
      call.holds = 0
      call.waitingSince = clock.uptime
      call.openings = tab.openings
    }
    const answered = edges.travel<Answer>(
      `the API's ${status} reaches ${page.name}`,
      page,
      () => {
        back()
        const now = tab.view()
        const current = now.session?.generation ?? -1
        const works = server.accepts(authorization)
        const refusal = { tab, generation, current, works }
        if (status === 401) around.refused = refusal
        if (status === 401 && !foreign && authorization) noteRefusal(call, endpoint, now, refusal)
        return { status }
      },
      () => {
        back()
        throw brokenConnection()
      },
    )
    if (!abort) return answered
    const aborted = new Promise<never>((_, reject) => {
      abort.addEventListener('abort', () => {
        back()
        reject(new DOMException('aborted', 'AbortError'))
      })
    })
    return Promise.race([answered, aborted])
  }

  /** A rejected token must not be sent again, unless endpoints have rejected fresh tokens, too. */
  function noteRefusal(
    { tab, sends, replayable }: Call,
    key: string,
    now: View,
    { generation, works }: Refusal,
  ) {
    tab.refusals++
    const isOpen = now.state === 'authenticated' || (now.state === 'refreshing' && !now.gateClosed)
    const isHandled = isOpen && now.session?.generation === generation
    const isDoubted = tab.doubted.has(key)
    // No replay shows whether a refresh helps a request that is sent only once.
    if (sends > 1 || (isHandled && !replayable)) tab.doubted.add(key)
    if (sends > 1 || works || tab.refusals > DOUBTFUL || isDoubted) return
    if (isHandled) tab.refused.add(generation)
  }

  const challenge = ({ status }: Answer): Challenge | undefined =>
    status === 401 ? 'refresh' : status === 403 ? { scope: 'more' } : undefined

  return {
    request(tab: Tab, plan: RequestPlan) {
      const { timeout, behaviour, endpoint } = plan
      const replayable = behaviour !== 'once'
      const controller = new AbortController()
      const patience = Math.min(HOLD, timeout ?? HOLD)
      track(tab, 'request', { patience, controller, replayable }, (call) => {
        if (!tokenMayGo(plan.foreign ? FOREIGN_API : OWN_API)) return send(call, plan, undefined)
        return bearerRequest<Answer>(tab.auth, {
          send: (authorization, abort) => send(call, plan, authorization, abort),
          challenge,
          replayable,
          abortable: behaviour === 'abortable',
          timeout,
          signal: controller.signal,
          onHeld() {
            call.holds++
            call.waitingSince = clock.uptime
          },
          key: () => endpoint,
        })
      })
    },
    token(tab: Tab, minValidity: number) {
      const controller = new AbortController()
      track(tab, 'getAccessToken', { controller, minValidity }, () =>
        tab.auth.getAccessToken({ minValidity, signal: controller.signal }),
      )
    },
    refresh: (tab: Tab) => track(tab, 'refresh', {}, () => tab.auth.refresh()),
    ready: (tab: Tab) => track(tab, 'ready', {}, () => tab.auth.ready()),
    signIn: (tab: Tab, user: string, good: boolean) =>
      track(tab, 'signIn', {}, () => tab.auth.signIn({ user, good, password: `${SECRET}-password` })),
    setTokens: (tab: Tab, user: string) =>
      track(tab, 'setTokens', {}, () => tab.auth.setTokens(tab.receive(around.begin(user)))),
    signOut(tab: Tab) {
      // Before the page has read the store, a sign-out is for the session in the store.
      const stored = tab.auth.state === 'restoring' ? around.store.record : undefined
      const family = tab.family() ?? server.familyNamed(stored?.scope)
      if (family && !tab.disposed) {
        around.ended.add(family.name)
        around.signedOut.add(family.name)
      }
      tab.signedOutWithoutSession ||= tab.auth.session === undefined
      around.endings++
      // After `dispose()`, it does nothing.
      track(tab, 'signOut', tab.disposed ? { epoch: undefined } : {}, () => tab.auth.signOut())
    },
    freeze(tab: Tab) {
      tab.page.frozen = true
      // `thaw` adds the uptime again. The sum is not read while the tab is frozen.
      tab.frozenFor -= clock.uptime
    },
    thaw(tab: Tab) {
      if (!tab.page.frozen) return
      tab.page.frozen = false
      tab.frozenFor += clock.uptime
      tab.thawedAt = clock.now()
    },
    /** Aborts every call of the page that can be aborted, as when the user leaves a view. */
    abort(tab: Tab) {
      for (const { controller } of tab.calls) controller?.abort('aborted')
    },
  }
}
