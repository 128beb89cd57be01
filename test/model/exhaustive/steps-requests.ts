/**
 * `src/core/bearer-request.ts` over `gate.ts`: a request from its call to its end, cut at every `await`.
 *
 * There is no step for an answer other than 401: it ends the request, and nothing depends on it. A request that is in
 * flight in the end has had it. Nor is there one for a 401 that can only go to the caller: of a request without a token,
 * of one sent for another user, of a replay that waited for its token. Those are settled once they are sent.
 */
import { close, consequence, isRefreshing, isWaiting, letsPass, request as requestTokens } from './chart.ts'
import { checkSending } from './invariants.ts'
import { isDead, type Play } from './play.ts'
import {
  AT_HAND,
  CURRENT,
  EXPIRED,
  FOREIGN,
  HELD,
  HELD_AGAIN,
  IDLE,
  IN_FLIGHT,
  LOGGED_OUT,
  NOTHING,
  RELEASED,
  RELEASED_AGAIN,
  REPLAYED,
  type Request,
  SETTLED,
  SUSPENDED,
  type Tab,
  UNOWNED,
  type World,
} from './state.ts'

export function requestSteps(play: Play) {
  const { requests, tabs } = play.before
  for (let index = 0; index < 3; index++) {
    const { stage, tab, pass } = requests[index]!
    if (index > 0 && isTwin(requests, index)) continue
    if (stage === IDLE) arrive(play, index)
    else if (stage === IN_FLIGHT || stage === REPLAYED) {
      if (pass !== CURRENT || tabs[tab]!.tokens === NOTHING || isDead(play.before, tabs[tab]!.tokens)) {
        refuse(play, index)
      }
    } else if (isWaiting(requests[index]!)) {
      end(play.begin().requests[index]!)
      play.mayEnd('{tab}: the caller of a request that waits gives up', tab)
    } else if (stage === RELEASED || stage === RELEASED_AGAIN || stage === AT_HAND) proceed(play, index)
  }
}

/** What one request may do, its twin may do as well, and it comes to the same. */
function isTwin(requests: readonly Request[], index: number): boolean {
  const { tab, stage, pass } = requests[index]!
  const before = requests[index - 1]!
  return before.tab === tab && before.stage === stage && before.pass === pass
}

function end(request: Request) {
  request.stage = SETTLED
  request.pass = CURRENT
}

/** `gate.pass()`, or `gate.hold()`, by the posture that goes with the place. */
function arrive(play: Play, index: number) {
  const world = play.begin()
  const request = world.requests[index]!
  const { tab } = request
  const { place } = world.tabs[tab]!
  if (letsPass(place)) {
    request.stage = IN_FLIGHT
    play.mayEnd('{tab} sends a request', tab)
  } else if (place !== LOGGED_OUT && place !== EXPIRED) {
    hold(play, world, index, HELD)
    play.mayEnd('{tab} holds a request', tab)
  }
}

/** `gate.hold()`; where all tries were spent, the chart hears `request.held` and tries again. */
function hold(play: Play, world: World, index: number, stage: number) {
  const request = world.requests[index]!
  const tab = world.tabs[request.tab]!
  request.stage = stage
  if (stage === HELD && request.pass === CURRENT) request.pass = owner(tab)
  if (isRefreshing(tab) && tab.exchange === SUSPENDED) requestTokens(play, world, request.tab)
}

/** `vault.owner()`. */
const owner = ({ tokens, erased }: Tab) => (tokens === NOTHING && erased === 0 ? UNOWNED : CURRENT)

/** A 401: `gate.renew`, or for a replay the end, of which the chart may hear. */
function refuse(play: Play, index: number) {
  const { rules } = play
  const world = play.begin()
  const request = world.requests[index]!
  const { tab, stage } = request
  const isReplay = stage === REPLAYED
  const isNow = request.pass === CURRENT || !rules.generationCheck
  const { place: placeBefore } = world.tabs[tab]!
  const closes = isNow && letsPass(placeBefore)
  if (isReplay && rules.replayLimit) end(request)
  if (closes) close(play, world, tab)
  const { place } = world.tabs[tab]!
  const which = request.pass === CURRENT || isReplay ? 'the current token set' : 'an older token set'
  const words = `{tab}: a request is answered 401 for ${which}${closes ? `: ${consequence(placeBefore)}` : ''}`
  if (request.stage === SETTLED) {
    play.mayEnd(`${words}; it was a replay already, so that is its answer`, tab)
    return
  }
  if (isReplay) play.breaks('I9: a request is replayed a second time')
  if (request.pass === FOREIGN || place === LOGGED_OUT) {
    end(request)
    play.mayEnd(`${words}; there is nothing to replay it with`, tab)
  } else if (place === EXPIRED) {
    end(request)
    play.mayEnd(`${words}; it is turned away`, tab)
  } else if (letsPass(place)) {
    request.stage = AT_HAND
    request.pass = CURRENT
    play.mayEnd(`${words}; a newer one is at hand for its replay`, tab)
  } else {
    request.pass = owner(world.tabs[tab]!) === UNOWNED ? UNOWNED : CURRENT
    hold(play, world, index, HELD_AGAIN)
    play.mayEnd(`${words}; it waits for its replay`, tab)
  }
}

/** After a release, or with a token that was at hand, there is an `await` before the request is sent. */
function proceed(play: Play, index: number) {
  const { rules } = play
  const world = play.begin()
  const request = world.requests[index]!
  const { tab, stage, pass } = request
  const { place } = world.tabs[tab]!
  const isChecked = stage === AT_HAND ? rules.checkAtHand : rules.checkAfterRelease
  const replays = stage !== RELEASED
  const admitted = pass === CURRENT && letsPass(place)
  if (admitted || !isChecked) {
    checkSending(play, world, request)
    if (!replays) request.stage = IN_FLIGHT
    else if (stage === AT_HAND || !rules.replayLimit) request.stage = REPLAYED
    else end(request)
    play.end(replays ? '{tab} sends a replay' : '{tab} sends a request it had held', tab)
    return
  }
  // `readmit`: the gate has closed again, or there is yet another token, or another user.
  if (pass === FOREIGN || place === EXPIRED || place === LOGGED_OUT) {
    end(request)
    play.end('{tab} turns a request away that was let go too late', tab)
  } else if (letsPass(place)) {
    request.stage = replays ? AT_HAND : RELEASED
    request.pass = CURRENT
    play.end('{tab} gives a request that was let go the newer token', tab)
  } else {
    request.pass = owner(world.tabs[tab]!)
    hold(play, world, index, replays ? HELD_AGAIN : HELD)
    play.end('{tab} holds a request again that was let go', tab)
  }
}
