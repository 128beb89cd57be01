import fc from 'fast-check'
import { expect } from 'vitest'
import type { AuthEmitted } from '../../machines/index.ts'
import { bearerRequest } from '../../src/core/bearer-request.ts'
import { createAuthWith } from '../../src/core/create-auth.ts'
import { AuthError } from '../../src/core/errors.ts'
import type { AuthOptions } from '../../src/core/options.ts'
import type { SessionRecord, SessionStorage } from '../../src/core/ports.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import { fakeCoordinator, fakeEnvironment, SECRET } from './auth-setup.ts'
import { createModelServer, type Outcome } from './model-server.ts'

export const HOLD = 30_000
const USERS = ['ada', 'bob'] as const

const latency = fc.nat(3_000)
const outcome: fc.Arbitrary<Outcome> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('answer' as const), after: latency }) },
  fc.record({ do: fc.constant('answerLate' as const), after: fc.integer({ min: 10_000, max: 25_000 }) }),
  fc.record({ do: fc.constant('drop' as const), acted: fc.boolean(), after: latency }),
  fc.record({ do: fc.constant('hang' as const), acted: fc.boolean() }),
  fc.record(
    {
      do: fc.constant('fail' as const),
      status: fc.constantFrom(429, 500, 502, 503, 504),
      retryAfter: fc.nat(40),
      after: latency,
    },
    { requiredKeys: ['do', 'status', 'after'] },
  ),
  fc.record({ do: fc.constant('garble' as const), after: latency }),
)

const user = fc.constantFrom(...USERS)
const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('request' as const),
      after: latency,
      picky: fc.boolean(),
      abort: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('token' as const), minValidity: fc.nat(60_000) }) },
  fc.record({ do: fc.constant('refresh' as const) }),
  fc.record({ do: fc.constant('abortAll' as const) }),
  fc.record({ do: fc.constant('signIn' as const), user, after: latency, ok: fc.boolean() }),
  fc.record({ do: fc.constant('setTokens' as const), user }),
  fc.record({ do: fc.constant('signOut' as const) }),
  fc.record({ do: fc.constant('expireAccessTokens' as const) }),
  fc.record({ do: fc.constant('revokeAll' as const) }),
  fc.record({ do: fc.constant('online' as const), value: fc.boolean() }),
  fc.record({ do: fc.constant('wake' as const), slept: fc.nat(300_000) }),
  fc.record({ do: fc.constant('fault' as const), on: fc.boolean() }),
  fc.record({ do: fc.constant('sibling' as const), what: fc.constantFrom('refresh', 'signIn', 'end'), user }),
)

export type Action = typeof action extends fc.Arbitrary<infer T> ? T : never

export const scenario = fc.record({
  outcomes: fc.array(outcome, { maxLength: 12 }),
  /** `pause` is how long to wait after each; 0 is not at all, not even for a promise job. */
  steps: fc.array(fc.tuple(action, fc.oneof(fc.constant(0), fc.nat(5_000), fc.nat(60_000))), {
    maxLength: 30,
  }),
  lifetime: fc.constantFrom(20_000, 90_000, 600_000),
  renew: fc.constantFrom('timer' as const, 'activity' as const, 'demand' as const),
  concurrency: fc.constantFrom(1, 3, Number.POSITIVE_INFINITY),
  whenExpired: fc.constantFrom('reject' as const, 'hold' as const),
  signedIn: fc.boolean(),
  /** A store that may fail, or siblings that share it: with both, what a sibling did may be lost, and rightly. */
  store: fc.constantFrom('none' as const, 'faulty' as const, 'shared' as const),
  slowStore: fc.boolean(),
  /** Where `Math.random` begins, for the jitter of backoffs. */
  chance: fc.nat(999).map((thousandths) => thousandths / 1_000),
})

export type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never

interface Sent {
  sends: number
  settlements: number
  /** Since when it neither is in flight nor settled, in time that passed. */
  waitingSince: number | undefined
  readonly abort: (() => void) | undefined
  /** How long it may wait: who asks for a renewal may wait for a sign-in, or for a first token, before that. */
  readonly patience: number
}

/** One session, its server and everyone around it; `violations` is what must stay empty. */
export function createWorld(given: Scenario) {
  const clock = createVirtualClock()
  const server = createModelServer(clock, given.lifetime)
  server.follow(given.outcomes[Symbol.iterator]())
  const { violations } = server
  const outside = fakeEnvironment()
  const siblings = fakeCoordinator()
  const events: AuthEmitted[] = []
  const sent: Sent[] = []
  let signInAnswer: { user: string; after: number; ok: boolean } = { user: 'ada', after: 0, ok: true }
  let stored: SessionRecord | undefined
  let faulty = false
  let slept = 0
  /** Time that passed for timers, too. */
  const passed = () => clock.now() - slept

  const answer = <T>(value: () => T) => {
    if (faulty) throw new RangeError('the store is broken')
    if (!given.slowStore) return value()
    return new Promise<T>((resolve) => void clock.setTimeout(() => resolve(value()), 5))
  }
  const storage: SessionStorage = {
    read: () => answer(() => stored),
    write(record) {
      const { session, state } = auth
      if (!session || session.subject !== record.subject)
        violations.push(`I5: wrote ${record.subject} in ${state}`)
      return answer(() => {
        stored = record
      })
    },
    clear: () =>
      answer(() => {
        stored = undefined
      }),
  }

  const options: AuthOptions<string> = {
    refresh: server.refresh,
    signIn: async () => {
      const { user: who, after, ok } = signInAnswer
      await new Promise<void>((resolve) => void clock.setTimeout(resolve, after))
      if (!ok) throw new Error('wrong password')
      return server.signIn(who)
    },
    revoke(given) {
      if (auth.session && server.userOf(given.accessToken) === undefined)
        violations.push('revoked a stranger')
      server.revoke(given)
    },
    renew: given.renew,
    whenExpired: given.whenExpired,
    release: { concurrency: given.concurrency },
    timeouts: { hold: HOLD },
    historyLimit: 1_000,
    ...(given.store !== 'none' && { storage }),
    ...(given.store === 'shared' && { coordinator: siblings.coordinator }),
    ...(given.signedIn && { initialTokens: server.signIn('ada') }),
  }
  const auth = createAuthWith<string, Readonly<Record<string, unknown>>>(options, {
    clock,
    environment: outside.environment,
    report: (error) => violations.push(`reported ${String(error)}`),
  })

  let fatalBefore = 0
  auth.on('*', (event) => {
    events.push(event)
    if (event.type === 'signedIn') fatalBefore = server.fatalAnswers
    if (event.type === 'expired' && event.reason !== 'idle' && server.fatalAnswers === fatalBefore) {
      violations.push(`I6: expired for ${event.reason}, though the server refused nothing`)
    }
  })

  /** Which header goes with which generation: one to one, for good. */
  const headers = new Map<number, string>()
  const PASSES = ['authenticated', 'refreshing', 'anonymous', 'loggedOut']

  function checkSending(authorization: string | undefined, owner: string | undefined) {
    const { state, session } = auth
    const { value } = auth.actor.getSnapshot()
    if (!PASSES.includes(state)) violations.push(`I3: sent in ${state}`)
    if (typeof value === 'object' && 'refreshing' in value && value.refreshing.gate === 'closed') {
      violations.push('I3: sent while the gate was closed')
    }
    if (authorization === undefined) {
      if (session) violations.push('I3: sent without a token, though there is one')
      return
    }
    if (!session) violations.push('I3: sent a token after the session')
    else if ((headers.get(session.generation) ?? authorization) !== authorization) {
      violations.push('I3: sent an older token')
    } else headers.set(session.generation, authorization)
    if (owner && server.userOf(authorization) !== owner)
      violations.push(`I5: a request of ${owner} went out for another`)
  }

  function track(run: (request: Sent) => Promise<unknown>, patience: number, abort?: () => void) {
    const request: Sent = { sends: 0, settlements: 0, waitingSince: passed(), abort, patience }
    sent.push(request)
    const settle = (error?: unknown) => {
      request.settlements++
      request.waitingSince = undefined
      if (request.settlements > 1) violations.push('I4: settled twice')
      if (error === undefined || error === 'aborted') return
      if (!(error instanceof AuthError)) violations.push(`failed with ${String(error)}`)
      else if (error.code === 'storage_failed') violations.push('I11: a store failed a request')
      else if (error.code === 'disposed') violations.push('I4: was pending when the session was disposed of')
    }
    run(request).then(() => settle(), settle)
  }

  function sendRequest({ after, picky, abort }: { after: number; picky: boolean; abort: boolean }) {
    const controller = abort ? new AbortController() : undefined
    const owner = auth.session?.subject
    const send = async (request: Sent, authorization: string | undefined) => {
      if (++request.sends > 2) violations.push('I9: sent three times')
      request.waitingSince = undefined
      checkSending(authorization, owner)
      const reply = await server.api(authorization, { after, picky })
      request.waitingSince = passed()
      return reply
    }
    track(
      (request) =>
        bearerRequest<{ status: number }>(auth, {
          send: (authorization) => send(request, authorization),
          challenge: ({ status }) => (status === 401 ? 'renew' : undefined),
          replayable: true,
          key: () => (picky ? 'picky' : 'plain'),
          ...(controller && { signal: controller.signal }),
        }),
      HOLD,
      () => controller?.abort('aborted'),
    )
  }

  function sibling(what: string, who: string) {
    if (given.store !== 'shared' || siblings.locked.length % 2 === 1) return
    if (what === 'end') {
      stored = undefined
      siblings.hear({ type: 'ended' })
      return
    }
    const renews = what === 'refresh' && stored?.refreshToken
    let response: ReturnType<typeof server.signIn>
    try {
      response = renews ? server.siblingRefresh(renews) : server.signIn(who)
    } catch {
      return
    }
    const now = clock.now()
    const fresh = { version: 1, id: `sibling-${now}-${sent.length}`, rotation: 0, startedAt: now } as const
    const base = renews && stored ? { ...stored, rotation: stored.rotation + 1 } : { ...fresh, subject: who }
    stored = {
      ...base,
      receivedAt: now,
      accessToken: response.access_token ?? '',
      refreshToken: response.refresh_token ?? '',
      expiresAt: now + given.lifetime,
    }
    siblings.hear({ type: 'changed' })
  }

  const ignore = (promise: Promise<unknown>) => void promise.catch(() => {})

  function perform(step: Action) {
    switch (step.do) {
      case 'request':
        return sendRequest(step)
      case 'token':
        return track(() => auth.getAccessToken({ minValidity: step.minValidity }), 2 * HOLD)
      case 'refresh':
        return track(() => auth.refresh(), 2 * HOLD)
      case 'abortAll':
        for (const { abort } of sent) abort?.()
        return
      case 'signIn':
        signInAnswer = step
        return ignore(auth.signIn(`${SECRET}-password`))
      case 'setTokens':
        return ignore(auth.setTokens(server.signIn(step.user)))
      case 'signOut':
        return ignore(auth.signOut())
      case 'online':
        return outside.signal(step.value ? 'online' : 'offline')
      case 'wake':
        slept += step.slept
        clock.jump(step.slept)
        return outside.signal('visible')
      case 'fault':
        faulty = given.store === 'faulty' && step.on
        return
      case 'sibling':
        return sibling(step.what, step.user)
      default:
        return server[step.do]()
    }
  }

  /** What must hold whenever everything has come to rest. */
  function check() {
    const { context } = auth.actor.getSnapshot()
    const { session, state } = auth
    const empty = ['anonymous', 'loggedOut', 'signingOut', 'expired'].includes(state)
    if (session ? empty : state === 'authenticated')
      violations.push(`a session in ${state}: ${session !== undefined}`)
    if (session && (session.epoch !== context.epoch || session.generation !== context.generation)) {
      violations.push(
        `in ${state} the chart knows ${context.epoch}.${context.generation}, and there is ${session.epoch}.${session.generation}`,
      )
    }
    for (const { waitingSince, patience } of sent) {
      if (waitingSince !== undefined && passed() - waitingSince > patience)
        violations.push('I4: waits for ever')
    }
    const { generation, held } = context
    expect([violations, generation >= 0, held >= 0]).toEqual([[], true, true])
  }

  async function pause(ms: number) {
    await clock.advance(ms)
    check()
  }

  return {
    auth,
    clock,
    outside,
    server,
    events,
    sent,
    perform,
    pause,
    check,
    /** Nothing fails any more. */
    heal() {
      server.follow(undefined)
      faulty = false
      outside.signal('online')
    },
    get stored() {
      return stored
    },
  }
}
