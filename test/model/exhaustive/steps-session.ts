/** Sign-ins and sign-outs (`auth-facade.ts`, `session/sign-in.ts`), timers, and access tokens that become invalid. */
import {
  closeGate,
  consequence,
  enterAuthenticated,
  enterAuthenticating,
  enterRefreshing,
  letsPass,
  returnFromSignIn,
  signOut,
} from './chart.ts'
import { persist } from './persist.ts'
import {
  ACTIVE,
  AUTHENTICATING,
  LOGGED_OUT,
  NOT_BEGUN,
  NOTHING,
  OPEN,
  REFRESHABLE,
  RESTORING,
  tokenSet,
  type World,
} from './state.ts'
import { isInvalid, type Stepper } from './stepper.ts'
import { beginSession } from './vault.ts'

/** The number of the session that a sign-in begins. */
const SECOND = 2

export function sessionSteps(stepper: Stepper) {
  const { budget, sessions, tabs } = stepper.before
  for (let number = 1; number <= 2; number++) {
    const { status, invalidFrom } = sessions[number - 1]!
    if (budget.invalidations === 0 || status !== ACTIVE || invalidFrom === 0) continue
    const world = stepper.draft()
    world.budget.invalidations--
    world.sessions[number - 1]!.invalidFrom = 0
    stepper.emitOptional('the access token becomes invalid', -1, tokenSet(number, 0))
  }
  for (let tab = 0; tab < 2; tab++) {
    const { chartState, tokens } = tabs[tab]!
    if (letsPass(chartState) && isInvalid(stepper.before, tokens)) {
      closeGate(stepper, stepper.draft(), tab)
      stepper.emitOptional(
        `{tab} sees by the clock that its access token is invalid: ${consequence(chartState)}`,
        tab,
      )
    }
    if (budget.timers > 0 && chartState === REFRESHABLE) {
      const world = stepper.draft()
      world.budget.timers--
      enterRefreshing(stepper, world, tab, OPEN)
      stepper.emitOptional(
        '{tab}: the time for an early refresh comes: a refresh begins, with the gate open',
        tab,
      )
    }
    if (budget.signOuts > 0 && chartState !== LOGGED_OUT && chartState !== RESTORING)
      signOutStep(stepper, tab)
    if (budget.signIns > 0 && chartState !== AUTHENTICATING && chartState !== RESTORING) {
      const world = stepper.draft()
      world.budget.signIns--
      enterAuthenticating(stepper, world, tab)
      stepper.emitOptional('{tab}: another user signs in', tab)
    }
    if (chartState === AUTHENTICATING) signInEnds(stepper, tab)
  }
}

function signOutStep(stepper: Stepper, tab: number) {
  const { tokens, expiredSession } = stepper.before.tabs[tab]!
  // Without a session, a sign-out only moves the chart to `loggedOut`, which the model does not distinguish.
  if (tokens === NOTHING && expiredSession === 0) return
  const world = stepper.draft()
  world.budget.signOuts--
  signOut(stepper, world, tab)
  stepper.emitOptional('{tab}: the user signs out', tab)
}

/** `SignIn.run`: the tokens arrive, begin a session and are stored; or the password was wrong. */
function signInEnds(stepper: Stepper, tab: number) {
  const prepare = (): World => {
    const world = stepper.draft()
    world.sessions[SECOND - 1]!.status = ACTIVE
    beginSession(stepper, world, tab, tokenSet(SECOND, 0))
    enterAuthenticated(stepper, world, tab)
    return world
  }
  if (stepper.before.sessions[SECOND - 1]!.status !== NOT_BEGUN)
    throw new Error('The model supports one sign-in: set signIns to at most 1')
  persist(stepper, tab, tokenSet(SECOND, 0), prepare, '{tab}: the sign-in succeeds', true)

  const world = stepper.draft()
  returnFromSignIn(stepper, world, tab)
  stepper.emit('{tab}: the sign-in is refused', tab)
}
