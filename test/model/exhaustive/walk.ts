/** A random way through the model, taken by two real tabs as well. */
import { expect } from 'vitest'
import { settled } from '../../../src/testing/virtual-clock.ts'
import { isWaiting } from './chart.ts'
import { decode, emptyWorld } from './encoding.ts'
import { CHANGED } from './messages.ts'
import { createModel, type Setting } from './model.ts'
import type { Step } from './play.ts'
import { chance } from './random.ts'
import { createRealSteps } from './real-steps.ts'
import { createRealTabs } from './real-tabs.ts'
import { AS_THE_CODE_IS } from './rules.ts'
import {
  AT_HAND,
  AUTHENTICATING,
  BACKING_OFF,
  CURRENT,
  EXPIRED,
  IN_FLIGHT,
  isReading,
  LOGGED_OUT,
  lagOf,
  NOTHING,
  OPEN,
  RELEASED,
  RELEASED_AGAIN,
  RENEWABLE,
  RESTORING,
  type Request,
  SENT,
  SUSPENDED,
  sessionOf,
  type Tab,
  TERMINAL,
  type TokenSet,
  UNCERTAIN,
  type World,
} from './state.ts'

interface Choice {
  readonly step: Step
  readonly bytes: Uint8Array
}

/** What the real tabs are not made to do: time passes for all of them at once, and tries have no number. */
const LEFT_OUT = /sees by the clock|deadline|all tries are spent|cool-down/
/** What looks into the store before it changes it, which is one step in the model. */
const STORES = /commits|session has expired|session expires/
const WRITES = /signs out|sign-in succeeds|commits/

/** Takes that many steps, and compares after each; tells how many there were. */
export async function walk(seed: number, steps: number, setting: Setting): Promise<number> {
  const random = chance(seed)
  const pick = <T>(choices: readonly T[]) => choices[Math.floor(random() * choices.length)]!
  const model = createModel({ ...AS_THE_CODE_IS, ...setting }).plain
  let state = pick([...model.initial()])
  const real = await createRealTabs()
  const moves = createRealSteps(real)
  const log: string[] = []
  const newest = [0, 1, 1]
  const numberOf = (tokens: TokenSet) =>
    [USERS[sessionOf(tokens)]!, newest[sessionOf(tokens)]! - lagOf(tokens)] as const
  const nameOf = (tokens: TokenSet) => (tokens === NOTHING ? undefined : numberOf(tokens).join('-'))

  function choices(before: World): Choice[] {
    const all: Choice[] = []
    model.expand(state, 0, (bytes, step) => {
      const choice = { step, bytes: bytes.slice() }
      if (isPlayable(before, choice)) all.push(choice)
    })
    // Between a release and the sending there is a moment that nobody can hold on to from outside.
    const next = before.requests.findIndex(isLetGo)
    if (next < 0) return all
    return all.filter(({ bytes, step: { own, words } }) => {
      const goesOn = own && !isLetGo(worldOf(bytes).requests[next]!)
      return goesOn || words.includes('that was let go')
    })
  }

  async function take(before: World, { step, bytes }: Choice) {
    const tokens = numberOf(step.tokens)
    const taken = { before, after: worldOf(bytes), step, tokens }
    log.push(step.words.replaceAll('{tab}', `tab ${'AB'[step.tab]}`).replaceAll('{tokens}', tokens.join('-')))
    if (step.words.startsWith('the server rotates')) newest[sessionOf(step.tokens)]!++
    state = bytes
    await moves.take(taken)
    await settled()
    if (STORES.test(step.words)) real.tabs[step.tab]!.reads.shift()?.()
    await settled()
    taken.after.tabs.forEach((tab, number) => {
      // A look that can bring nothing is over at once in the model.
      if (!isReading(tab)) for (const release of real.tabs[number]!.reads.splice(0)) release()
    })
    await settled()
    moves.match(taken)
    if (!taken.after.requests.some(isLetGo)) compare(taken.after)
  }

  function compare(world: World) {
    const expected = world.tabs.map((tab, number) => ({
      place: placeInModel(tab),
      inbox: tab.inbox.map((message) => (message === CHANGED ? 'changed' : 'ended')),
      reads: isReading(tab) ? 1 : 0,
      unexpected: 0,
      presented: tab.exchanges.flatMap(({ stage, tokens, orphan }, index) =>
        stage === SENT && !orphan ? [`${number}.${index} ${nameOf(tokens)}`] : [],
      ),
    }))
    const actual = real.tabs.map(({ auth, inbox, reads, waiters, calls }, number) => ({
      place: placeOf(auth.actor.getSnapshot().value),
      inbox: inbox.map(({ type }) => type),
      reads: reads.length,
      unexpected: waiters.length + calls.length,
      presented: expected[number]!.presented.map((name) => {
        const place = name.split(' ')[0]!
        return `${place} ${moves.calls.get(place)?.refreshToken}`
      }),
    }))
    const asked = world.requests.map((request) => {
      if (isWaiting(request)) return 'waits'
      if (request.stage !== IN_FLIGHT || request.pass !== CURRENT) return 'may be anywhere'
      return `in flight with Bearer ${nameOf(world.tabs[request.tab]!.tokens)}`
    })
    const found = asked.map((wanted, index) => {
      const request = moves.requests[index]
      if (wanted === 'may be anywhere') return wanted
      if (request?.flight) return `in flight with ${request.flight.authorization}`
      return request?.settled ? 'settled' : 'waits'
    })
    expect({ tabs: actual, stored: real.stored?.accessToken, requests: found }, log.join('\n')).toEqual({
      tabs: expected,
      stored: nameOf(world.stored),
      requests: asked,
    })
  }

  try {
    compare(worldOf(state))
    for (let before = worldOf(state); log.length < steps || before.requests.some(isLetGo); ) {
      const possible = choices(before)
      if (possible.length === 0) break
      await take(before, pick(possible))
      before = worldOf(state)
    }
    return log.length
  } finally {
    real.dispose()
  }
}

const USERS = ['nobody', 'ada', 'bob']

function worldOf(bytes: Uint8Array): World {
  const world = emptyWorld()
  decode(bytes, 0, world)
  return world
}

const isLetGo = ({ stage }: Request) => stage === RELEASED || stage === RELEASED_AGAIN || stage === AT_HAND

function isPlayable(before: World, { step: { tab, words }, bytes }: Choice): boolean {
  if (LEFT_OUT.test(words)) return false
  if (tab < 0) return true
  // The real tokens say nothing of when they die, so nobody finds them dead on arrival.
  if (words.includes('takes over') && worldOf(bytes).tabs[tab]!.knownDead) return false
  // While a store answers a question, a real one keeps writes waiting; that of the model writes at once.
  const { place } = before.tabs[tab]!
  const writes = WRITES.test(words) || (place === TERMINAL && words.includes('401'))
  return !(writes && isReading(before.tabs[tab]!))
}

const PLACES = new Map([
  [RENEWABLE, 'authenticated renewable'],
  [TERMINAL, 'authenticated terminal'],
  [AUTHENTICATING, 'authenticating'],
  [EXPIRED, 'expired'],
  [LOGGED_OUT, 'loggedOut'],
  [RESTORING, 'restoring'],
])
const EXCHANGES = new Map([
  [BACKING_OFF, 'backingOff'],
  [UNCERTAIN, 'uncertain'],
  [SUSPENDED, 'suspended'],
])

const placeInModel = ({ place, exchange }: Tab) =>
  PLACES.get(place) ??
  `refreshing ${place === OPEN ? 'open' : 'closed'} ${EXCHANGES.get(exchange) ?? 'requesting'}`

function placeOf(value: unknown): string {
  if (value === 'anonymous' || value === 'signingOut') return 'loggedOut'
  if (typeof value === 'string') return value
  const [name, inner] = Object.entries(value as Record<string, unknown>)[0]!
  if (name === 'authenticated') return `authenticated ${inner}`
  if (name !== 'refreshing') return name
  const { gate, exchange } = inner as { gate: string; exchange: string }
  return `refreshing ${gate} ${exchange}`
}
