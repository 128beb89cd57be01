/** Messages between tabs (`session/peers.ts`), and reads of the store outside of a refresh attempt. */
import {
  endedElsewhere,
  endRemoved,
  enter,
  enterAuthenticated,
  enterRefreshing,
  expireElsewhere,
  receiveTokens,
  requestTokens,
} from './chart.ts'
import { freeStoreRead } from './encoding.ts'
import { CHANGED, isEndOf, isExpiry, waitsForReason } from './messages.ts'
import {
  CHART,
  CLOSED,
  isReading,
  LOGGED_OUT,
  NO_READER,
  NOTHING,
  RELOAD,
  REMOVED,
  RESTORING,
  shouldMerge,
} from './state.ts'
import { isInvalid, type Stepper } from './stepper.ts'
import { startRead } from './store.ts'
import { mergeTokens } from './vault.ts'

export function messageSteps(stepper: Stepper) {
  for (let tab = 0; tab < 2; tab++) {
    const { inbox, storeRead } = stepper.before.tabs[tab]!
    const inOrder = stepper.rules.ordered && !isReading(stepper.before.tabs[tab]!)
    for (let index = 0; index < (inOrder ? 1 : inbox.length); index++) {
      if (inbox.indexOf(inbox[index]!) === index) receive(stepper, tab, index)
    }
    if (storeRead.reader === CHART) chartActsOnRead(stepper, tab)
    else if (storeRead.reader !== NO_READER) actOnStoreRead(stepper, tab)
  }
}

/**
 * The tab receives the message at `index`. A tab reads the store one read at a time, so a message that causes a read
 * stays in the inbox until the current read completes. A later message about the end of a session does not wait.
 */
function receive(stepper: Stepper, tab: number, index: number) {
  const { inbox, tokens } = stepper.before.tabs[tab]!
  const message = inbox[index]!
  const endsMine = isEndOf(stepper, stepper.before.tabs[tab]!, message)
  const isMoot = isExpiry(message) && tokens === NOTHING
  if (!endsMine && !isMoot && isReading(stepper.before.tabs[tab]!)) return
  const world = stepper.draft()
  const at = world.tabs[tab]!
  at.inbox.splice(index, 1)
  if (isExpiry(message)) at.announcedExpiry = message
  if (isMoot) stepper.emit('{tab} receives the message that a session expired, and has none', tab)
  else if (endsMine && isExpiry(message)) {
    expireElsewhere(stepper, world, tab)
    stepper.emit('{tab} receives the message that its session expired', tab)
  } else if (endsMine) {
    endedElsewhere(stepper, world, tab)
    stepper.emit('{tab} receives the message that the user signed out of its session', tab)
  } else {
    if (isExpiry(message)) at.knowsRecord = false
    startRead(stepper, world, tab, RELOAD)
    stepper.emit(
      message === CHANGED
        ? '{tab} receives the message that the store changed, and reads the store'
        : '{tab} receives the message that another session ended, and reads the store',
      tab,
    )
  }
}

/** `checkStore` after its `await`, or an `reload` that the chart does not wait for any more. */
function actOnStoreRead(stepper: Stepper, tab: number) {
  const { before } = stepper
  const at = before.tabs[tab]!
  const { reader, tokens, current, sameEpoch } = at.storeRead
  if (tokens === REMOVED && waitsForReason(stepper, tab)) return
  if (shouldMerge(at, tokens, current)) {
    const choices = isInvalid(before, tokens) ? 2 : 1
    for (let choice = 0; choice < choices; choice++) {
      const world = stepper.draft()
      freeStoreRead(world.tabs[tab]!.storeRead)
      const isSameSession = mergeTokens(stepper, world, tab, tokens)
      receiveTokens(stepper, world, tab, isSameSession || reader !== RELOAD, choice === 0)
      stepper.emit('{tab} merges {tokens}', tab, tokens)
    }
    return
  }
  const world = stepper.draft()
  if (reader === RELOAD && at.tokens === NOTHING && !current && sameEpoch) {
    startRead(stepper, world, tab, RELOAD)
    stepper.emit('{tab} has expired since it read the store, and reads it again', tab)
    return
  }
  freeStoreRead(world.tabs[tab]!.storeRead)
  if (tokens === REMOVED && current && at.tokens !== NOTHING && (reader === RELOAD || at.hasSeenRecord)) {
    endRemoved(stepper, world, tab)
    stepper.emit('{tab} found its record gone, and logs out', tab)
  } else stepper.emit('{tab} finds nothing new', tab)
}

/** `restore` has completed, in `restoring` or in `refreshing.attempt.ambiguous`. */
function chartActsOnRead(stepper: Stepper, tab: number) {
  const { before } = stepper
  const at = before.tabs[tab]!
  const { tokens, current } = at.storeRead
  if (tokens === REMOVED && waitsForReason(stepper, tab)) return
  const restores = at.chartState === RESTORING
  if (shouldMerge(at, tokens, current)) {
    const choices = restores && isInvalid(before, tokens) ? 2 : 1
    for (let choice = 0; choice < choices; choice++) {
      const world = stepper.draft()
      freeStoreRead(world.tabs[tab]!.storeRead)
      mergeTokens(stepper, world, tab, tokens)
      if (choice === 0) enterAuthenticated(stepper, world, tab)
      else {
        world.tabs[tab]!.knownInvalid = true
        enterRefreshing(stepper, world, tab, CLOSED)
      }
      stepper.emit('{tab} merges {tokens}', tab, tokens)
    }
    return
  }
  const world = stepper.draft()
  freeStoreRead(world.tabs[tab]!.storeRead)
  if (tokens === REMOVED && current && at.hasSeenRecord && at.tokens !== NOTHING) {
    endRemoved(stepper, world, tab)
    stepper.emit('{tab} finds its record gone, and logs out', tab)
  } else if (restores) {
    enter(stepper, world, tab, LOGGED_OUT)
    stepper.emit('{tab} finds no session to restore', tab)
  } else {
    requestTokens(stepper, world, tab)
    stepper.emit('{tab} finds nothing new, and refreshes again', tab)
  }
}
