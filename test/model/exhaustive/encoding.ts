import { BUDGETS } from './budget.ts'
import {
  FREE,
  NO_READER,
  NONE_INVALID,
  NOT_BEGUN,
  type RefreshAttempt,
  type Request,
  SETTLED,
  type StoreRead,
  type Tab,
  type World,
} from './state.ts'

/** Number of bytes of an encoded state. */
export const WIDTH = 60
export const ATTEMPTS = 3
/** Maximum number of messages in transit to one tab. */
const INBOX_SIZE = 5
export const TAB_HEADER = 12
/** Offset of a tab's inbox. */
const INBOX_AT = 6
export const TAB_BYTES = TAB_HEADER + ATTEMPTS * 3
export const TABS_AT = 8
export const REQUESTS_AT = TABS_AT + 2 * TAB_BYTES
export const TAB_BIT = 0x80

export function emptyWorld(): World {
  const tab = (): Tab => ({
    chartState: 0,
    phase: 0,
    tokens: 0,
    expiredSession: 0,
    hasLastToken: false,
    knownInvalid: false,
    knowsRecord: false,
    hasSeenRecord: false,
    endedSessions: 0,
    hasSignedOut: false,
    announcedExpiry: 0,
    inbox: [],
    attempts: Array.from({ length: ATTEMPTS }, emptyAttempt),
    storeRead: { reader: NO_READER, tokens: 0, current: false, sameEpoch: false },
  })
  const session = () => ({
    status: NOT_BEGUN,
    invalidFrom: NONE_INVALID,
    answered: 0,
    signedOut: false,
    revoking: false,
  })
  return {
    budget: {
      invalidations: 0,
      timers: 0,
      signOuts: 0,
      signIns: 0,
      network: 0,
      locks: 0,
      store: 0,
      crashes: 0,
    },
    faults: 0,
    stored: 0,
    sessions: [session(), session()],
    tabs: [tab(), tab()],
    requests: [1, 2, 3].map((): Request => ({ tab: 0, stage: 0, pass: 0 })),
  }
}

const emptyAttempt = (): RefreshAttempt => ({
  stage: FREE,
  tokens: 0,
  current: false,
  readCurrent: false,
  sameEpoch: false,
  locked: false,
  timedOut: false,
  orphan: false,
})

export function freeAttempt(attempt: RefreshAttempt) {
  attempt.stage = FREE
  attempt.tokens = 0
  attempt.current = attempt.readCurrent = attempt.sameEpoch = false
  attempt.locked = attempt.timedOut = attempt.orphan = false
}

export function freeStoreRead(look: StoreRead) {
  look.reader = NO_READER
  look.tokens = 0
  look.current = look.sameEpoch = false
}

/** Writes a world as bytes. Tabs and requests keep their order; `canonicalize` sorts them. */
export function encode(world: World, bytes: Uint8Array) {
  const { budget, sessions, tabs, requests } = world
  let low = 0
  for (let index = 0; index < BUDGETS.length; index++) low |= budget[BUDGETS[index]!] << (index * 2)
  bytes[0] = low
  bytes[1] = low >> 8
  bytes[2] = world.faults
  bytes[3] = world.stored
  for (let index = 0; index < 2; index++) {
    const { status, invalidFrom, answered, signedOut, revoking } = sessions[index]!
    bytes[4 + index] = status | (invalidFrom << 2) | (signedOut ? 64 : 0) | (revoking ? 128 : 0)
    bytes[6 + index] = answered
  }
  encodeTab(tabs[0], bytes, TABS_AT)
  encodeTab(tabs[1], bytes, TABS_AT + TAB_BYTES)
  for (let index = 0; index < 3; index++) {
    const { tab, stage, pass } = requests[index]!
    bytes[REQUESTS_AT + index] =
      stage === SETTLED ? SETTLED << 3 : (tab === 1 ? TAB_BIT : 0) | (stage << 3) | pass
  }
}

function encodeTab(tab: Tab, bytes: Uint8Array, at: number) {
  const { chartState, phase, inbox, attempts } = tab
  bytes[at] = chartState | (phase << 4)
  bytes[at + 1] = tab.tokens
  bytes[at + 2] =
    tab.expiredSession |
    (tab.hasLastToken ? 4 : 0) |
    (tab.knownInvalid ? 8 : 0) |
    (tab.knowsRecord ? 16 : 0) |
    (tab.hasSignedOut ? 32 : 0) |
    (tab.hasSeenRecord ? 64 : 0)
  if (inbox.length > INBOX_SIZE)
    throw new Error('Too many messages for the encoding: raise INBOX_SIZE in encoding.ts')
  bytes[at + 3] = tab.endedSessions
  bytes[at + 4] = tab.storeRead.reader | (tab.storeRead.current ? 4 : 0) | (tab.storeRead.sameEpoch ? 8 : 0)
  bytes[at + 5] = tab.storeRead.tokens
  bytes[at + 11] = tab.announcedExpiry
  for (let index = 0; index < INBOX_SIZE; index++) bytes[at + INBOX_AT + index] = inbox[index] ?? 0
  let next = at + TAB_HEADER
  for (let index = 0; index < ATTEMPTS; index++) {
    const is = attempts[index]!
    bytes[next] = is.stage
    bytes[next + 1] = is.tokens
    bytes[next + 2] =
      (is.current ? 1 : 0) |
      (is.readCurrent ? 2 : 0) |
      (is.sameEpoch ? 4 : 0) |
      (is.locked ? 8 : 0) |
      (is.timedOut ? 16 : 0) |
      (is.orphan ? 32 : 0)
    next += 3
  }
}

export function decode(bytes: Uint8Array, at: number, world: World) {
  const low = bytes[at]! | (bytes[at + 1]! << 8)
  for (let index = 0; index < BUDGETS.length; index++) {
    world.budget[BUDGETS[index]!] = (low >> (index * 2)) & 3
  }
  world.faults = bytes[at + 2]!
  world.stored = bytes[at + 3]!
  for (let index = 0; index < 2; index++) {
    const session = world.sessions[index]!
    const byte = bytes[at + 4 + index]!
    session.status = byte & 3
    session.invalidFrom = (byte >> 2) & 15
    session.signedOut = (byte & 64) !== 0
    session.revoking = (byte & 128) !== 0
    session.answered = bytes[at + 6 + index]!
  }
  decodeTab(bytes, at + TABS_AT, world.tabs[0])
  decodeTab(bytes, at + TABS_AT + TAB_BYTES, world.tabs[1])
  for (let index = 0; index < 3; index++) {
    const byte = bytes[at + REQUESTS_AT + index]!
    const request = world.requests[index]!
    request.tab = byte >> 7
    request.stage = (byte >> 3) & 15
    request.pass = byte & 7
  }
}

function decodeTab(bytes: Uint8Array, at: number, tab: Tab) {
  tab.chartState = bytes[at]! & 15
  tab.phase = bytes[at]! >> 4
  tab.tokens = bytes[at + 1]!
  const facts = bytes[at + 2]!
  tab.expiredSession = facts & 3
  tab.hasLastToken = (facts & 4) !== 0
  tab.knownInvalid = (facts & 8) !== 0
  tab.knowsRecord = (facts & 16) !== 0
  tab.hasSignedOut = (facts & 32) !== 0
  tab.hasSeenRecord = (facts & 64) !== 0
  tab.endedSessions = bytes[at + 3]!
  tab.storeRead.reader = bytes[at + 4]! & 3
  tab.storeRead.current = (bytes[at + 4]! & 4) !== 0
  tab.storeRead.sameEpoch = (bytes[at + 4]! & 8) !== 0
  tab.storeRead.tokens = bytes[at + 5]!
  tab.announcedExpiry = bytes[at + 11]!
  tab.inbox.length = 0
  for (let index = 0; index < INBOX_SIZE; index++) {
    const message = bytes[at + INBOX_AT + index]!
    if (message !== 0) tab.inbox.push(message)
  }
  let next = at + TAB_HEADER
  for (const attempt of tab.attempts) {
    attempt.stage = bytes[next]!
    attempt.tokens = bytes[next + 1]!
    const is = bytes[next + 2]!
    attempt.current = (is & 1) !== 0
    attempt.readCurrent = (is & 2) !== 0
    attempt.sameEpoch = (is & 4) !== 0
    attempt.locked = (is & 8) !== 0
    attempt.timedOut = (is & 16) !== 0
    attempt.orphan = (is & 32) !== 0
    next += 3
  }
}
