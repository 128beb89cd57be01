/**
 * The session protocol as an abstract model, small enough to look at every state that it can be in.
 *
 * Three requests, two tabs, one server that rotates refresh tokens, one store that the tabs share, and faults. A step is
 * one stretch of the real code between two `await`s, or one thing that somebody else does: the server, a user, the network,
 * a clock. Each file of steps says which code it stands for. `search.ts` takes every step that is possible in every state
 * that it finds, breadth first, until there are no new ones; `invariants.ts` says what is looked at on the way.
 *
 * | file | |
 * | --- | --- |
 * | `state.ts`, `budget.ts`, `messages.ts` | what the world looks like, and what may happen in it how often |
 * | `rules.ts` | the protections of the protocol, each of which can be taken away; the circumstances |
 * | `vault.ts`, `store.ts`, `chart.ts` | what the core and the chart do within a step |
 * | `steps-*.ts`, `adopting.ts`, `keep.ts` | the steps; `play.ts` is the board they are played on |
 * | `invariants.ts` | what must hold, and which fault excuses what |
 * | `encoding.ts`, `canonical.ts`, `forget.ts` | a state as 52 bytes; states that nobody can tell apart are one |
 * | `search.ts`, `byte-set.ts`, `edges.ts` | the search, which knows nothing of sessions |
 * | `trace.ts` | the way to a broken invariant, in words |
 * | `exhaustive.test.ts`, `broken.test.ts` | nothing is broken; and what is, where a protection is missing |
 * | `conformance.test.ts`, `walk.ts`, `real-*.ts` | ways through the model, taken by two real tabs as well |
 *
 * The space is finite without a bound on depth: tokens are known by their age (`state.ts`), and what nothing in the library
 * makes happen has a budget. It is small because what makes no difference is left out: answers other than 401, and a 401
 * that can only be the caller's.
 *
 * What the model does not have: the clock (a timer is a step that may come at any time, or never), more than one sign-in,
 * limits, `whenExpired: 'hold'`, paced releases, doubts about endpoints, cookie mode, stores that write late (a read does
 * take its time), and stores that will not be cleared at a sign-out.
 */
import { type Budget, NO_BUDGET } from './budget.ts'
import { canonicalize } from './canonical.ts'
import { emptyWorld, encode, WIDTH } from './encoding.ts'
import { forget } from './forget.ts'
import { checkRest, checkState } from './invariants.ts'
import { Play, type Step } from './play.ts'
import { PLAIN, type Rules, SOUND } from './rules.ts'
import type { Space } from './search.ts'
import { ALIVE, RENEWABLE, tokenSet } from './state.ts'
import { exchangeSteps } from './steps-exchange.ts'
import { faultSteps } from './steps-faults.ts'
import { messageSteps } from './steps-messages.ts'
import { requestSteps } from './steps-requests.ts'
import { serverSteps } from './steps-server.ts'
import { sessionSteps } from './steps-session.ts'

export interface Setting extends Partial<Rules> {
  readonly budget: Partial<Budget>
}

/** The space of all worlds that come of three requests in two tabs, with one session in both. */
export function createModel({ budget, ...rules }: Setting): Space<Step> & { readonly plain: Space<Step> } {
  const play = new Play({ ...SOUND, ...PLAIN, ...rules }, budget.locks ?? 0)
  const bytes = new Uint8Array(WIDTH)

  const heeded = (wrong: string | undefined) => (wrong && play.ignores(wrong) ? undefined : wrong)

  /** All three requests in one tab, or one of them in the other: the other ways are the same with the tabs swapped. */
  function* begin() {
    for (const inSecondTab of [0, 1]) {
      const world = emptyWorld()
      Object.assign(world.budget, NO_BUDGET, budget)
      world.stored = tokenSet(1, 0)
      world.sessions[0].life = ALIVE
      for (const tab of world.tabs) {
        tab.place = RENEWABLE
        tab.tokens = tokenSet(1, 0)
        tab.knowsRecord = tab.hasSeenRecord = true
      }
      for (let index = 0; index < inSecondTab; index++) world.requests[index]!.tab = 1
      const state = new Uint8Array(WIDTH)
      encode(world, state)
      yield state
    }
  }

  const space = (finish: (bytes: Uint8Array) => void): Space<Step> => ({
    width: WIDTH,
    *initial() {
      for (const state of begin()) {
        finish(state)
        yield state
      }
    },
    expand(states, at, visit) {
      play.load(states, at, (after, step) => {
        const wrong = step.broken ?? heeded(checkState(after))
        forget(after, play.rules)
        encode(after, bytes)
        finish(bytes)
        visit(bytes, step, wrong)
      })
      requestSteps(play)
      exchangeSteps(play)
      serverSteps(play)
      messageSteps(play)
      sessionSteps(play)
      faultSteps(play)
      return play.moved ? undefined : heeded(checkRest(play.before))
    },
  })
  return { ...space(canonicalize), plain: space(() => {}) }
}
