/**
 * The session protocol as an abstract model that is small enough to visit every state. It is an independent
 * specification of the core: it repeats the rules and imports nothing of `src/core` or `machines`. Only the conformance
 * and regression tests import the core, to compare it with the model.
 *
 * The model has three requests, two tabs, a server that rotates refresh tokens, a store that the tabs share, and
 * faults. A step is the real code between two `await`s, or one action of the server, a user, the network or a clock.
 * Each file of steps names the code that it models. `search.ts` takes every possible step in every state that it
 * finds, breadth first, until no new state appears. `invariants.ts` lists what is checked on the way.
 *
 * | file | content |
 * | --- | --- |
 * | `state.ts`, `budget.ts`, `messages.ts` | the world, and how often each external event may happen in it |
 * | `rules.ts` | the protections of the protocol, each of which a test can remove; the circumstances |
 * | `vault.ts`, `store.ts`, `chart.ts` | what the core and the chart do within a step |
 * | `steps-*.ts`, `merge.ts`, `persist.ts` | the steps; `stepper.ts` collects them |
 * | `invariants.ts` | what must hold, and which faults are exceptions |
 * | `encoding.ts`, `canonical.ts`, `simplify.ts` | a state as 60 bytes; states that behave alike are one state |
 * | `search.ts`, `byte-set.ts`, `edges.ts` | the search, which is independent of sessions |
 * | `trace.ts` | the steps to a violated invariant, in words |
 * | `exhaustive.test.ts`, `broken.test.ts` | the protocol violates no invariant; without a protection, it does |
 * | `conformance.test.ts`, `walk.ts`, `real-*.ts` | random walks through the model, also taken by two real tabs |
 * | `regressions.test.ts` | defects of the core that the search found |
 *
 * The space is finite without a limit on depth: tokens are identified by their age (`state.ts`), and events that the
 * library does not cause have a budget. It is small because it leaves out events without consequences: answers other
 * than 401, and a 401 that can only go to the caller.
 *
 * The model does not cover: the clock (a timer is a step that may come at any time, or never), more than one sign-in,
 * limits, `whenExpired: 'hold'`, paced releases, endpoints that always answer 401, cookie mode, stores that write late
 * (reads do take time), and stores that cannot be cleared at a sign-out.
 */
import { type Budget, NO_BUDGET } from './budget.ts'
import { canonicalize } from './canonical.ts'
import { emptyWorld, encode, WIDTH } from './encoding.ts'
import { checkRest, checkState } from './invariants.ts'
import { ALL_PROTECTIONS, DEFAULT_CIRCUMSTANCES, type Rules } from './rules.ts'
import type { Space } from './search.ts'
import { simplify } from './simplify.ts'
import { ACTIVE, REFRESHABLE, tokenSet } from './state.ts'
import { type Step, Stepper } from './stepper.ts'
import { attemptSteps } from './steps-attempts.ts'
import { faultSteps } from './steps-faults.ts'
import { messageSteps } from './steps-messages.ts'
import { requestSteps } from './steps-requests.ts'
import { serverSteps } from './steps-server.ts'
import { sessionSteps } from './steps-session.ts'

export interface Setting extends Partial<Rules> {
  readonly budget: Partial<Budget>
}

/**
 * The space of all worlds that can follow from three requests in two tabs that share one session. `raw` is the same
 * space without `canonicalize`, so that tabs and requests keep their numbers.
 */
export function createModel({ budget, ...rules }: Setting): Space<Step> & { readonly raw: Space<Step> } {
  const stepper = new Stepper({ ...ALL_PROTECTIONS, ...DEFAULT_CIRCUMSTANCES, ...rules }, budget.locks ?? 0)
  const bytes = new Uint8Array(WIDTH)

  const unlessUnchecked = (wrong: string | undefined) =>
    wrong && stepper.isUnchecked(wrong) ? undefined : wrong

  /** All three requests in one tab, or one of them in the other. Other distributions are these with swapped tabs. */
  function* initialStates() {
    for (const inSecondTab of [0, 1]) {
      const world = emptyWorld()
      Object.assign(world.budget, NO_BUDGET, budget)
      world.stored = tokenSet(1, 0)
      world.sessions[0].status = ACTIVE
      for (const tab of world.tabs) {
        tab.chartState = REFRESHABLE
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
      for (const state of initialStates()) {
        finish(state)
        yield state
      }
    },
    expand(states, at, visit) {
      stepper.load(states, at, (after, step) => {
        const wrong = step.violated ?? unlessUnchecked(checkState(after))
        simplify(after, stepper.rules)
        encode(after, bytes)
        finish(bytes)
        visit(bytes, step, wrong)
      })
      requestSteps(stepper)
      attemptSteps(stepper)
      serverSteps(stepper)
      messageSteps(stepper)
      sessionSteps(stepper)
      faultSteps(stepper)
      return stepper.canProceed ? undefined : unlessUnchecked(checkRest(stepper.before))
    },
  })
  return { ...space(canonicalize), raw: space(() => {}) }
}
