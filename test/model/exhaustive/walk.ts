/** A random walk through the model that two real tabs take as well. */
import { expect } from 'vitest'
import { settled } from '../../../src/testing/virtual-clock.ts'
import { decode, emptyWorld } from './encoding.ts'
import { CHANGED, isExpiry } from './messages.ts'
import { createModel, type Setting } from './model.ts'
import { createRandom } from './random.ts'
import { createRealSteps } from './real-steps.ts'
import { createRealTabs } from './real-tabs.ts'
import { CORE_PROTECTIONS } from './rules.ts'
import {
  AMBIGUOUS,
  AT_HAND,
  AUTHENTICATING,
  BACKING_OFF,
  COOLING_DOWN,
  CURRENT,
  EXPIRED,
  IN_FLIGHT,
  isReading,
  isWaiting,
  LAST_TOKEN,
  LOGGED_OUT,
  lagOf,
  NOTHING,
  OPEN,
  REFRESHABLE,
  RELEASED,
  RELEASED_AGAIN,
  REMOVED,
  RESTORING,
  type Request,
  SENT,
  sessionOf,
  type Tab,
  type TokenSet,
  type World,
} from './state.ts'
import type { Step } from './stepper.ts'

interface Choice {
  readonly step: Step
  readonly bytes: Uint8Array
}

/** Steps that the real tabs do not take: time passes for both tabs at once, and the model does not count attempts. */
const NOT_PLAYED = /sees by the clock|deadline|no attempt is left|cool-down/
/** Steps in which a real tab reads the store before it writes it; the model does both in one step. */
const READS_FIRST = /commits|session has expired|session expires/
/** Steps that write the store. */
const WRITES = /signs out|sign-in succeeds|commits/

/**
 * Takes up to `steps` steps, and goes on while a released request is not sent. Compares after each step. Returns the
 * number of steps.
 */
export async function walk(seed: number, steps: number, setting: Setting): Promise<number> {
  const random = createRandom(seed)
  const pick = <T>(choices: readonly T[]) => choices[Math.floor(random() * choices.length)]!
  const model = createModel({ ...CORE_PROTECTIONS, ...setting }).raw
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
    // A test cannot pause a real tab between the release of a request and its sending, so the sending comes next.
    const next = before.requests.findIndex(isReleased)
    if (next < 0) return all
    return all.filter(({ bytes, step: { automatic, words } }) => {
      const goesOn = automatic && !isReleased(worldOf(bytes).requests[next]!)
      return goesOn || words.includes('that was released')
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
    if (READS_FIRST.test(step.words)) real.tabs[step.tab]!.reads.shift()?.()
    await settled()
    await real.lookAgain()
    const pointless = () =>
      real.tabs.flatMap(({ reads }, number) => (isReading(taken.after.tabs[number]!) ? [] : reads.splice(0)))
    // In the model, a read that can have no effect ends at once. A real tab reads a missing record twice.
    for (let reads = pointless(); reads.length > 0; reads = pointless()) {
      for (const release of reads) release()
      await settled()
    }
    moves.assignPending(taken)
    if (!taken.after.requests.some(isReleased)) compare(taken.after)
  }

  function compare(world: World) {
    const expected = world.tabs.map((tab, number) => ({
      state: modelStatePath(tab),
      inbox: tab.inbox.map((message) =>
        message === CHANGED ? 'changed' : isExpiry(message) ? 'expired' : 'signed out',
      ),
      reads: isReading(tab) ? 1 : 0,
      unexpected: 0,
      presented: tab.attempts.flatMap(({ stage, tokens, orphan }, index) =>
        stage === SENT && !orphan ? [`${number}.${index} ${nameOf(tokens)}`] : [],
      ),
    }))
    const actual = real.tabs.map(({ auth, inbox, reads, waiters, calls }, number) => ({
      state: statePath(auth.actor.getSnapshot().value),
      inbox: inbox.map(({ type, reason }) =>
        type === 'changed' ? type : reason === 'signed_out' ? 'signed out' : 'expired',
      ),
      reads: reads.length,
      unexpected: waiters.length + calls.length,
      presented: expected[number]!.presented.map((name) => {
        const attempt = name.split(' ')[0]!
        return `${attempt} ${moves.calls.get(attempt)?.refreshToken}`
      }),
    }))
    const asked = world.requests.map((request) => {
      if (isWaiting(request)) return 'waits'
      const tokens = nameOf(world.tabs[request.tab]!.tokens)
      const isKnown = request.stage === IN_FLIGHT && request.pass === CURRENT && tokens !== undefined
      return isKnown ? `in flight with Bearer ${tokens}` : 'may be anywhere'
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
    for (let before = worldOf(state); log.length < steps || before.requests.some(isReleased); ) {
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

const USERS = ['no user', 'ada', 'bob']

function worldOf(bytes: Uint8Array): World {
  const world = emptyWorld()
  decode(bytes, 0, world)
  return world
}

const isReleased = ({ stage }: Request) => stage === RELEASED || stage === RELEASED_AGAIN || stage === AT_HAND

function isPlayable(before: World, { step: { tab, words }, bytes }: Choice): boolean {
  if (NOT_PLAYED.test(words)) return false
  if (tab < 0) return true
  // The real tokens have no expiry, so a real tab never takes merged tokens for invalid.
  if (words.includes('merges') && worldOf(bytes).tabs[tab]!.knownInvalid) return false
  // A real store queues writes behind a read in progress. The store of the model writes at once.
  const { chartState } = before.tabs[tab]!
  const writes = WRITES.test(words) || (chartState === LAST_TOKEN && words.includes('401'))
  if (writes && isReading(before.tabs[tab]!)) return false
  // A real tab looks a second time for a missing record, and would find what is written meanwhile.
  return !(writes && isMissing(before.tabs[1 - tab]!))
}

const isMissing = (tab: Tab) =>
  isReading(tab) && [tab.storeRead, ...tab.attempts].some(({ tokens }) => tokens === REMOVED)

const STATE_PATHS = new Map([
  [REFRESHABLE, 'authenticated refreshable'],
  [LAST_TOKEN, 'authenticated lastToken'],
  [AUTHENTICATING, 'authenticating'],
  [EXPIRED, 'expired'],
  [LOGGED_OUT, 'loggedOut'],
  [RESTORING, 'restoring'],
])
const PHASES = new Map([
  [BACKING_OFF, 'backingOff'],
  [AMBIGUOUS, 'ambiguous'],
  [COOLING_DOWN, 'coolingDown'],
])

const modelStatePath = ({ chartState, phase }: Tab) =>
  STATE_PATHS.get(chartState) ??
  `refreshing ${chartState === OPEN ? 'open' : 'closed'} ${PHASES.get(phase) ?? 'requesting'}`

function statePath(value: unknown): string {
  if (value === 'anonymous' || value === 'signingOut') return 'loggedOut'
  if (typeof value === 'string') return value
  const [name, inner] = Object.entries(value as Record<string, unknown>)[0]!
  if (name === 'authenticated') return `authenticated ${inner}`
  if (name !== 'refreshing') return name
  const { gate, attempt } = inner as { gate: string; attempt: string }
  return `refreshing ${gate} ${attempt}`
}
