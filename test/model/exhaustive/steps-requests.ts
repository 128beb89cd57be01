/**
 * `src/core/requests/bearer-request.ts` over `gate.ts`: a request from its call to its end, cut at every `await`.
 *
 * An answer other than 401 has no step: it ends the request, and nothing depends on it. A request that is in flight at
 * rest has received such an answer. A 401 that can only go to the caller has no step either. It answers a request
 * without a token, a request of another user, or a replay that waited for its token. Those count as settled when sent.
 */
import { closeGate, consequence, isRefreshing, letsPass, requestTokens } from './chart.ts'
import { checkSending } from './invariants.ts'
import {
  AT_HAND,
  COOLING_DOWN,
  CURRENT,
  EXPIRED,
  FOREIGN,
  HELD,
  HELD_AGAIN,
  IDLE,
  IN_FLIGHT,
  isWaiting,
  LOGGED_OUT,
  NOTHING,
  RELEASED,
  RELEASED_AGAIN,
  REPLAYED,
  type Request,
  SETTLED,
  type Tab,
  UNOWNED,
  type World,
} from './state.ts'
import { isInvalid, type Stepper } from './stepper.ts'

export function requestSteps(stepper: Stepper) {
  const { requests, tabs } = stepper.before
  for (let index = 0; index < 3; index++) {
    const { stage, tab, pass } = requests[index]!
    if (index > 0 && isTwin(requests, index)) continue
    if (stage === IDLE) arrive(stepper, index)
    else if (stage === IN_FLIGHT || stage === REPLAYED) {
      if (pass !== CURRENT || tabs[tab]!.tokens === NOTHING || isInvalid(stepper.before, tabs[tab]!.tokens)) {
        answer401(stepper, index)
      }
    } else if (isWaiting(requests[index]!)) {
      finish(stepper.draft().requests[index]!)
      stepper.emitOptional('{tab}: the caller of a request that waits gives up', tab)
    } else if (stage === RELEASED || stage === RELEASED_AGAIN || stage === AT_HAND) proceed(stepper, index)
  }
}

/** Whether the request equals the one before it. Both have the same steps, with the same effects, so one is enough. */
function isTwin(requests: readonly Request[], index: number): boolean {
  const { tab, stage, pass } = requests[index]!
  const before = requests[index - 1]!
  return before.tab === tab && before.stage === stage && before.pass === pass
}

function finish(request: Request) {
  request.stage = SETTLED
  request.pass = CURRENT
}

/** `gate.authorize()` or `gate.hold()`, by the tag of the chart's state. */
function arrive(stepper: Stepper, index: number) {
  const world = stepper.draft()
  const request = world.requests[index]!
  const { tab } = request
  const { chartState } = world.tabs[tab]!
  if (letsPass(chartState)) {
    request.stage = IN_FLIGHT
    stepper.emitOptional('{tab} sends a request', tab)
  } else if (chartState !== LOGGED_OUT && chartState !== EXPIRED) {
    hold(stepper, world, index, HELD)
    stepper.emitOptional('{tab} holds a request', tab)
  }
}

/** `gate.hold()`. If refreshing is suspended, the event `request.held` makes the chart refresh again. */
function hold(stepper: Stepper, world: World, index: number, stage: number) {
  const request = world.requests[index]!
  const tab = world.tabs[request.tab]!
  request.stage = stage
  if (stage === HELD && request.pass === CURRENT) request.pass = owner(tab)
  if (isRefreshing(tab) && tab.phase === COOLING_DOWN) requestTokens(stepper, world, request.tab)
}

/** `vault.requestOwner`. */
const owner = ({ tokens, expiredSession }: Tab) =>
  tokens === NOTHING && expiredSession === 0 ? UNOWNED : CURRENT

/** A 401: `gate.replay`. For a replay the 401 is the result, but the chart may still receive the event. */
function answer401(stepper: Stepper, index: number) {
  const { rules } = stepper
  const world = stepper.draft()
  const request = world.requests[index]!
  const { tab, stage } = request
  const isReplay = stage === REPLAYED
  const isNow = request.pass === CURRENT || !rules.generationCheck
  const { chartState: placeBefore } = world.tabs[tab]!
  const closes = isNow && letsPass(placeBefore)
  if (isReplay && rules.replayLimit) finish(request)
  if (closes) closeGate(stepper, world, tab)
  const { chartState } = world.tabs[tab]!
  const which = request.pass === CURRENT || isReplay ? 'the current token set' : 'an older token set'
  const words = `{tab}: a request is answered 401 for ${which}${closes ? `: ${consequence(placeBefore)}` : ''}`
  if (request.stage === SETTLED) {
    stepper.emitOptional(`${words}; it was a replay already, so that is its answer`, tab)
    return
  }
  if (isReplay) stepper.violate('I9: a request is replayed a second time')
  if (request.pass === FOREIGN || chartState === LOGGED_OUT) {
    finish(request)
    stepper.emitOptional(`${words}; there is nothing to replay it with`, tab)
  } else if (chartState === EXPIRED) {
    finish(request)
    stepper.emitOptional(`${words}; it is rejected`, tab)
  } else if (letsPass(chartState)) {
    request.stage = AT_HAND
    request.pass = CURRENT
    stepper.emitOptional(`${words}; a newer one is at hand for its replay`, tab)
  } else {
    request.pass = owner(world.tabs[tab]!) === UNOWNED ? UNOWNED : CURRENT
    hold(stepper, world, index, HELD_AGAIN)
    stepper.emitOptional(`${words}; it waits for its replay`, tab)
  }
}

/** The step after the `await` between a release, or a token that was at hand, and the sending of the request. */
function proceed(stepper: Stepper, index: number) {
  const { rules } = stepper
  const world = stepper.draft()
  const request = world.requests[index]!
  const { tab, stage, pass } = request
  const { chartState } = world.tabs[tab]!
  const isChecked = stage === AT_HAND ? rules.checkAtHand : rules.checkAfterRelease
  const replays = stage !== RELEASED
  const admitted = pass === CURRENT && letsPass(chartState)
  if (admitted || !isChecked) {
    checkSending(stepper, world, request)
    if (!replays) request.stage = IN_FLIGHT
    else if (stage === AT_HAND || !rules.replayLimit) request.stage = REPLAYED
    else finish(request)
    stepper.emit(replays ? '{tab} sends a replay' : '{tab} sends a held request', tab)
    return
  }
  // `gate.resume`: during the `await` the gate closed again, or the tab got another token or another user.
  if (pass === FOREIGN || chartState === EXPIRED || chartState === LOGGED_OUT) {
    finish(request)
    stepper.emit('{tab} rejects a request that was released too late', tab)
  } else if (letsPass(chartState)) {
    request.stage = replays ? AT_HAND : RELEASED
    request.pass = CURRENT
    stepper.emit('{tab} gives a request that was released the newer token', tab)
  } else {
    request.pass = owner(world.tabs[tab]!)
    hold(stepper, world, index, replays ? HELD_AGAIN : HELD)
    stepper.emit('{tab} holds a request again that was released', tab)
  }
}
