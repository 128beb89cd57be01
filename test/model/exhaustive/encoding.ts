import { BUDGETS } from './budget.ts'
import {
  type Exchange,
  FREE,
  type Look,
  NOBODY,
  NONE_DEAD,
  NOT_BEGUN,
  type Request,
  SETTLED,
  type Tab,
  type World,
} from './state.ts'

/** Bytes of a state. */
export const WIDTH = 52
export const EXCHANGES = 3
/** Messages that may be under way to one tab. */
export const INBOX = 5
export const TAB_FACTS = 8
export const TAB_BYTES = TAB_FACTS + EXCHANGES * 3
export const TABS_AT = 8
export const REQUESTS_AT = TABS_AT + 2 * TAB_BYTES
export const TAB_BIT = 0x80

export function emptyWorld(): World {
  const tab = (): Tab => ({
    place: 0,
    exchange: 0,
    tokens: 0,
    erased: 0,
    last: false,
    knownDead: false,
    knowsRecord: false,
    hasSeenRecord: false,
    left: 0,
    departed: false,
    inbox: [],
    exchanges: Array.from({ length: EXCHANGES }, emptyExchange),
    look: { by: NOBODY, tokens: 0, current: false, sameEpoch: false },
  })
  const session = () => ({
    life: NOT_BEGUN,
    deadFrom: NONE_DEAD,
    answered: 0,
    signedOut: false,
    revoking: false,
  })
  return {
    budget: {
      deaths: 0,
      timers: 0,
      signOuts: 0,
      signIns: 0,
      network: 0,
      locks: 0,
      store: 0,
      crashes: 0,
    },
    excuses: 0,
    stored: 0,
    sessions: [session(), session()],
    tabs: [tab(), tab()],
    requests: [1, 2, 3].map((): Request => ({ tab: 0, stage: 0, pass: 0 })),
  }
}

const emptyExchange = (): Exchange => ({
  stage: FREE,
  tokens: 0,
  current: false,
  readCurrent: false,
  sameEpoch: false,
  locked: false,
  late: false,
  orphan: false,
})

export function freeExchange(exchange: Exchange) {
  exchange.stage = FREE
  exchange.tokens = 0
  exchange.current = exchange.readCurrent = exchange.sameEpoch = false
  exchange.locked = exchange.late = exchange.orphan = false
}

export function freeLook(look: Look) {
  look.by = NOBODY
  look.tokens = 0
  look.current = look.sameEpoch = false
}

/** Writes a world as bytes, tabs and requests in the order they have. */
export function encode(world: World, bytes: Uint8Array) {
  const { budget, sessions, tabs, requests } = world
  let low = 0
  for (let index = 0; index < BUDGETS.length; index++) low |= budget[BUDGETS[index]!] << (index * 2)
  bytes[0] = low
  bytes[1] = low >> 8
  bytes[2] = world.excuses
  bytes[3] = world.stored
  for (let index = 0; index < 2; index++) {
    const { life, deadFrom, answered, signedOut, revoking } = sessions[index]!
    bytes[4 + index] = life | (deadFrom << 2) | (signedOut ? 64 : 0) | (revoking ? 128 : 0)
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
  const { place, exchange, inbox, exchanges } = tab
  bytes[at] = place | (exchange << 4)
  bytes[at + 1] = tab.tokens
  bytes[at + 2] =
    tab.erased |
    (tab.last ? 4 : 0) |
    (tab.knownDead ? 8 : 0) |
    (tab.knowsRecord ? 16 : 0) |
    (tab.departed ? 32 : 0) |
    (tab.hasSeenRecord ? 64 : 0)
  let messages = 0
  if (inbox.length > INBOX) throw new Error('The model has no room for so many messages')
  for (let index = 0; index < inbox.length; index++) messages |= inbox[index]! << (index * 3)
  bytes[at + 3] = messages
  bytes[at + 4] = messages >> 8
  bytes[at + 5] = tab.left
  bytes[at + 6] = tab.look.by | (tab.look.current ? 4 : 0) | (tab.look.sameEpoch ? 8 : 0)
  bytes[at + 7] = tab.look.tokens
  let next = at + TAB_FACTS
  for (let index = 0; index < EXCHANGES; index++) {
    const is = exchanges[index]!
    bytes[next] = is.stage
    bytes[next + 1] = is.tokens
    bytes[next + 2] =
      (is.current ? 1 : 0) |
      (is.readCurrent ? 2 : 0) |
      (is.sameEpoch ? 4 : 0) |
      (is.locked ? 8 : 0) |
      (is.late ? 16 : 0) |
      (is.orphan ? 32 : 0)
    next += 3
  }
}

export function decode(bytes: Uint8Array, at: number, world: World) {
  const low = bytes[at]! | (bytes[at + 1]! << 8)
  for (let index = 0; index < BUDGETS.length; index++) {
    world.budget[BUDGETS[index]!] = (low >> (index * 2)) & 3
  }
  world.excuses = bytes[at + 2]!
  world.stored = bytes[at + 3]!
  for (let index = 0; index < 2; index++) {
    const session = world.sessions[index]!
    const byte = bytes[at + 4 + index]!
    session.life = byte & 3
    session.deadFrom = (byte >> 2) & 15
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
  tab.place = bytes[at]! & 15
  tab.exchange = bytes[at]! >> 4
  tab.tokens = bytes[at + 1]!
  const facts = bytes[at + 2]!
  tab.erased = facts & 3
  tab.last = (facts & 4) !== 0
  tab.knownDead = (facts & 8) !== 0
  tab.knowsRecord = (facts & 16) !== 0
  tab.departed = (facts & 32) !== 0
  tab.hasSeenRecord = (facts & 64) !== 0
  tab.left = bytes[at + 5]!
  tab.look.by = bytes[at + 6]! & 3
  tab.look.current = (bytes[at + 6]! & 4) !== 0
  tab.look.sameEpoch = (bytes[at + 6]! & 8) !== 0
  tab.look.tokens = bytes[at + 7]!
  tab.inbox.length = 0
  for (let messages = bytes[at + 3]! | (bytes[at + 4]! << 8); messages > 0; messages >>= 3) {
    tab.inbox.push(messages & 7)
  }
  let next = at + TAB_FACTS
  for (const exchange of tab.exchanges) {
    exchange.stage = bytes[next]!
    exchange.tokens = bytes[next + 1]!
    const is = bytes[next + 2]!
    exchange.current = (is & 1) !== 0
    exchange.readCurrent = (is & 2) !== 0
    exchange.sameEpoch = (is & 4) !== 0
    exchange.locked = (is & 8) !== 0
    exchange.late = (is & 16) !== 0
    exchange.orphan = (is & 32) !== 0
    next += 3
  }
}
