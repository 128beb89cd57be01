import { bearerRequest } from '../../../src/core/bearer-request.ts'
import type { Challenge } from '../../../src/core/challenge.ts'
import { createOriginGuard } from '../../../src/transports/origins.ts'
import { HOLD } from './config.ts'
import type { Ask, Place } from './facts.ts'
import { brokenConnection, SECRET } from './server.ts'
import type { Surroundings } from './surroundings.ts'
import type { Tab } from './tab.ts'

export const OWN_API = 'https://api.example.com/things'
export const FOREIGN_API = 'https://api.example.com.evil.test/things'

export interface RequestPlan {
  /** An endpoint that answers by the token, one that always refuses, one that asks for more than a token. */
  readonly endpoint: 'plain' | 'picky' | 'strict'
  readonly foreign: boolean
  /** Whether it may be sent again, and whether a refusal elsewhere may abort it in flight for that. */
  readonly manner: 'replayable' | 'once' | 'abortable'
  readonly timeout: number | undefined
}

interface Answer {
  readonly status: number
}

const tokenMayGo = createOriginGuard('The model', { origins: [OWN_API] })

/** How long a call may wait that may have a sign-in, a first token and a store before it. */
export const LONG = 20 * HOLD

/** What the people and the app of one tab ask of the library. */
export function createAsks(around: Surroundings) {
  const { clock, edges, server } = around

  function track(tab: Tab, name: string, given: Partial<Ask>, run: (ask: Ask) => Promise<unknown>): Ask {
    const { session } = tab.place()
    const ask: Ask = {
      tab,
      name,
      owner: session?.subject,
      epoch: session?.epoch,
      replayable: true,
      patience: LONG,
      controller: undefined,
      sends: 0,
      settlements: 0,
      inFlight: false,
      waitingSince: clock.uptime,
      stoodStill: tab.stoodStill,
      openings: tab.openings,
      ...given,
    }
    tab.asks.push(ask)
    const settle = (failed: boolean, error?: unknown, value?: unknown) => {
      ask.settlements++
      ask.gave = value
      ask.inFlight = false
      const beside = tab.asks.filter((other) => other.settlements === 0 && !other.inFlight).length
      around.facts.settlements.push({
        ask,
        failed,
        error,
        waited: clock.uptime - ask.waitingSince + clock.jumps,
        beside,
      })
    }
    run(ask).then(
      (value) => settle(false, undefined, value),
      (error) => settle(true, error),
    )
    return ask
  }

  /** The way to the API and back; judged when it is sent, answered when it may be. */
  function send(
    ask: Ask,
    { endpoint, foreign }: RequestPlan,
    authorization: string | undefined,
    abort?: AbortSignal,
  ) {
    const { tab } = ask
    const { page } = tab
    ask.sends++
    ask.inFlight = true
    const place = tab.place()
    const generation = place.session?.generation ?? -1
    const refused = !foreign && tab.refused.has(generation)
    around.facts.sendings.push({ ask, url: foreign ? FOREIGN_API : OWN_API, authorization, refused, place })
    const accepted = server.accepts(authorization)
    const status = endpoint === 'strict' ? 403 : accepted && endpoint === 'plain' ? 200 : 401
    let over = false
    const back = () => {
      // Aborted, it is waiting for something else by now.
      if (over) return
      over = true
      ask.inFlight = false
      ask.waitingSince = clock.uptime
      ask.openings = tab.openings
    }
    const answered = edges.travel<Answer>(
      `the API's ${status} reaches ${page.name}`,
      page,
      () => {
        back()
        const now = tab.place()
        const current = now.session?.generation ?? -1
        if (status === 401) around.refused = { tab, generation, current }
        if (status === 401 && !foreign && authorization)
          noteRefusal(ask, `${endpoint} ${generation}`, now, generation)
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

  /** A refused token goes no further, unless the endpoint has refused a fresh one, too. */
  function noteRefusal({ tab, sends }: Ask, key: string, now: Place, generation: number) {
    const heard = now.state === 'authenticated' || (now.state === 'refreshing' && !now.gateClosed)
    if (sends > 1) tab.doubted.add(key)
    else if (heard && now.session?.generation === generation && !tab.doubted.has(key))
      tab.refused.add(generation)
  }

  const challenge = ({ status }: Answer): Challenge | undefined =>
    status === 401 ? 'renew' : status === 403 ? { scope: 'more' } : undefined

  return {
    request(tab: Tab, plan: RequestPlan) {
      const { timeout, manner, endpoint } = plan
      const replayable = manner !== 'once'
      const controller = new AbortController()
      const patience = Math.min(HOLD, timeout ?? HOLD)
      track(tab, 'request', { patience, controller, replayable }, (ask) => {
        if (!tokenMayGo(plan.foreign ? FOREIGN_API : OWN_API)) return send(ask, plan, undefined)
        return bearerRequest<Answer>(tab.auth, {
          send: (authorization, abort) => send(ask, plan, authorization, abort),
          challenge,
          replayable,
          abortable: manner === 'abortable',
          timeout,
          signal: controller.signal,
          key: () => endpoint,
        })
      })
    },
    token(tab: Tab, minValidity: number) {
      const controller = new AbortController()
      track(tab, 'getAccessToken', { controller }, () =>
        tab.auth.getAccessToken({ minValidity, signal: controller.signal }),
      )
    },
    refresh: (tab: Tab) => track(tab, 'refresh', {}, () => tab.auth.refresh()),
    ready: (tab: Tab) => track(tab, 'ready', {}, () => tab.auth.ready()),
    signIn: (tab: Tab, user: string, good: boolean) =>
      track(tab, 'signIn', {}, () => tab.auth.signIn({ user, good, password: `${SECRET}-password` })),
    setTokens: (tab: Tab, user: string) =>
      track(tab, 'setTokens', {}, () => tab.auth.setTokens(server.show(around.begin(user)))),
    signOut(tab: Tab) {
      // Before it has read the store, a page is asked to end what is there.
      const stored = tab.auth.state === 'restoring' ? around.store.record : undefined
      const family = tab.family() ?? server.familyNamed(stored?.scope)
      if (family) {
        around.over.add(family.name)
        around.signedOut.add(family.name)
      }
      tab.leftWithout ||= tab.auth.session === undefined
      around.endings++
      track(tab, 'signOut', {}, () => tab.auth.signOut())
    },
    freeze(tab: Tab) {
      tab.page.frozen = true
      // Its thaw adds the time by then: nobody asks anything of it in between.
      tab.stoodStill -= clock.uptime
    },
    thaw(tab: Tab) {
      if (!tab.page.frozen) return
      tab.page.frozen = false
      tab.stoodStill += clock.uptime
    },
    /** The user goes elsewhere: everything of that page that can be aborted is. */
    abort(tab: Tab) {
      for (const { controller } of tab.asks) controller?.abort('aborted')
    },
  }
}

export type Asks = ReturnType<typeof createAsks>
