/** What users, timers and tokens do: sign-ins and sign-outs (`create-auth.ts`, `sign-ins.ts`), and time. */
import {
  authenticated,
  close,
  consequence,
  enterAuthenticating,
  letsPass,
  refreshing,
  returnFromSignIn,
  signOut,
} from './chart.ts'
import { keep } from './keep.ts'
import { isDead, type Play } from './play.ts'
import {
  ALIVE,
  AUTHENTICATING,
  LOGGED_OUT,
  NOT_BEGUN,
  NOTHING,
  OPEN,
  RENEWABLE,
  RESTORING,
  tokenSet,
  type World,
} from './state.ts'
import { begin } from './vault.ts'

/** The session of whoever signs in. */
const SECOND = 2

export function sessionSteps(play: Play) {
  const { budget, sessions, tabs } = play.before
  for (let number = 1; number <= 2; number++) {
    const { life, deadFrom } = sessions[number - 1]!
    if (budget.deaths === 0 || life !== ALIVE || deadFrom === 0) continue
    const world = play.begin()
    world.budget.deaths--
    world.sessions[number - 1]!.deadFrom = 0
    play.mayEnd('the access token dies', -1, tokenSet(number, 0))
  }
  for (let tab = 0; tab < 2; tab++) {
    const { place, tokens } = tabs[tab]!
    if (letsPass(place) && isDead(play.before, tokens)) {
      close(play, play.begin(), tab)
      play.mayEnd(`{tab} sees by the clock that its access token is dead: ${consequence(place)}`, tab)
    }
    if (budget.timers > 0 && place === RENEWABLE) {
      const world = play.begin()
      world.budget.timers--
      refreshing(play, world, tab, OPEN)
      play.mayEnd('{tab}: it is time for an early renewal: a refresh begins, with the gate open', tab)
    }
    if (budget.signOuts > 0 && place !== LOGGED_OUT && place !== RESTORING) signOutStep(play, tab)
    if (budget.signIns > 0 && place !== AUTHENTICATING && place !== RESTORING) {
      const world = play.begin()
      world.budget.signIns--
      enterAuthenticating(play, world, tab)
      play.mayEnd('{tab}: another user signs in', tab)
    }
    if (place === AUTHENTICATING) signInEnds(play, tab)
  }
}

function signOutStep(play: Play, tab: number) {
  const { tokens, erased } = play.before.tabs[tab]!
  // Nobody has ever been signed in: the chart goes to `loggedOut`, and there is nothing to tell.
  if (tokens === NOTHING && erased === 0) return
  const world = play.begin()
  world.budget.signOuts--
  signOut(play, world, tab)
  play.mayEnd('{tab}: the user signs out', tab)
}

/** `signIns.run`: the tokens arrive, are begun with and kept; or the password was wrong. */
function signInEnds(play: Play, tab: number) {
  const prepare = (): World => {
    const world = play.begin()
    world.sessions[SECOND - 1]!.life = ALIVE
    begin(play, world, tab, tokenSet(SECOND, 0))
    authenticated(play, world, tab)
    return world
  }
  if (play.before.sessions[SECOND - 1]!.life !== NOT_BEGUN)
    throw new Error('The model knows one sign-in only')
  keep(play, tab, tokenSet(SECOND, 0), prepare, '{tab}: the sign-in succeeds', true)

  const world = play.begin()
  returnFromSignIn(play, world, tab)
  play.end('{tab}: the sign-in is refused', tab)
}
