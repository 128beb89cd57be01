import { describe, expect, it } from 'vitest'
import { GATE } from '../../src/core/auth.ts'
import type { RequestWatch } from '../../src/core/request.ts'
import { pathsOf } from '../../src/devtools/recording/active-states.ts'
import {
  type Recorder,
  record,
  steadyNow,
  type WatchableAuth,
} from '../../src/devtools/recording/recorder.ts'
import { createTestBed, type VirtualClock } from '../../src/testing/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { entered, setUp } from '../conformance/harness.ts'
import { LIFETIME, type Rig, refused, rig, tokens } from '../core/auth-setup.ts'
import { connected } from '../worker/in-process.ts'

interface Recordable {
  readonly auth: WatchableAuth
  readonly clock: VirtualClock
}

const recording = ({ auth, clock }: Recordable, onChange = () => {}) =>
  record(auth, { name: 'mine', now: () => clock.now(), onChange })

const wordsOf = ({ moments }: Recorder, from = 0) =>
  moments.slice(from).map(({ source, type }) => `${source} ${type}`)

const renew = async ({ auth, clock, refresh }: Rig, n: number) => {
  const renewed = auth.refresh()
  await clock.advance(0)
  refresh.call().resolve(tokens(n))
  await renewed
}

describe('a recorder', () => {
  it('begins with what the session remembers itself, and with how it stands', async () => {
    const made = rig()
    await renew(made, 2)
    const { auth, clock } = made

    const recorder = recording(made)

    expect(recorder.moments.map(({ type, at }) => ({ type, at }))).toEqual(
      auth.history.map(({ type, at }) => ({ type, at })),
    )
    expect(recorder.moments.every(({ source }) => source === 'told')).toBe(true)
    expect(recorder.moments.every(({ step, taken }) => step === undefined && taken === undefined)).toBe(true)
    expect(recorder.latest).toMatchObject({
      source: 'chart',
      type: 'begin',
      at: clock.now(),
      active: ['authenticated', 'authenticated.renewable'],
      session: { epoch: 1, generation: 2, held: 0, expiresAt: clock.now() + LIFETIME },
    })
    expect(recorder.name).toBe('mine')
    recorder.stop()
  })

  it('tells what happens, with how everything stood after it', async () => {
    const made = rig()
    await made.clock.advance(0)
    const recorder = recording(made)
    const from = recorder.moments.length

    await renew(made, 2)

    expect(wordsOf(recorder, from)).toEqual([
      'chart session.check',
      'told transition',
      'told transition',
      'told transition',
      'chart session.refresh',
      'told refreshed',
      'told transition',
      'told transition',
      'chart xstate.done.actor.0.auth.refreshing.exchange.requesting',
    ])
    const { moments, latest } = recorder
    expect(latest).toBe(moments.at(-1))
    expect(latest.active).toEqual(pathsOf(made.auth.actor.getSnapshot().value))
    expect(latest.session).toMatchObject({ generation: 2, expiresAt: made.clock.now() + LIFETIME })
    expect(moments[from + 4]).toMatchObject({
      active: pathsOf({ refreshing: { exchange: 'requesting', gate: 'open', limits: 'watched' } }),
      session: { generation: 1 },
      taken: [{ source: 'authenticated.renewable', target: 'refreshing', event: 'session.refresh' }],
    })
    recorder.stop()
  })

  it('numbers steps: what is told has the number of the event that it is told for', async () => {
    const made = rig()
    await made.clock.advance(0)
    const recorder = recording(made)
    await renew(made, 2)
    await made.auth.signOut()

    let before = -1
    for (const { source, step } of recorder.moments.filter(({ step }) => step !== undefined)) {
      expect(step).toBe(before + 1)
      if (source === 'chart') before++
    }
    expect(before).toBeGreaterThan(2)
    recorder.stop()
  })

  it('tells times by the session’s clock, and by one that nobody sets', async () => {
    const made = rig()
    await made.clock.advance(0)
    const recorder = recording(made)
    const from = recorder.moments.length
    const begun = steadyNow()

    made.clock.jump(-3_600_000)
    await renew(made, 2)

    for (const { at, seenAt } of recorder.moments.slice(from)) {
      expect(at).toBe(made.clock.now())
      expect(seenAt).toBeGreaterThanOrEqual(begun)
      expect(seenAt).toBeLessThanOrEqual(steadyNow())
    }
    recorder.stop()
  })

  it('says that something has changed, each time', async () => {
    const made = rig()
    await made.clock.advance(0)
    let changes = 0
    const lengths: number[] = []
    const recorder = recording(made, () => {
      changes++
    })
    const begun = changes
    made.auth.on('*', () => lengths.push(recorder.moments.length))

    await renew(made, 2)

    expect(changes - begun).toBeGreaterThanOrEqual(9)
    recorder.stop()
    const after = changes
    await made.auth.signOut()
    expect(changes).toBe(after)
  })

  it('counts a burst as one: the same two moments, as the history has it', async () => {
    const bed = await createTestBed({ start: 'stored' })
    const recorder = recording(bed)
    await bed.endpoint.set('holds', bed.settle)
    bed.server.expireAccessTokens()
    bed.send('/api/item')
    await bed.settle()
    const from = recorder.moments.length
    const last = recorder.moments.at(-1)

    for (let n = 0; n < 50; n++) {
      bed.send('/api/item')
      await bed.settle()
    }

    expect(wordsOf(recorder, from - 2)).toEqual(['told requestHeld', 'chart request.held'])
    expect(recorder.moments.at(-1)).toBe(last)
    expect(recorder.latest).toBe(last)
    expect(recorder.moments.at(-2)?.facts).toEqual(
      expect.objectContaining({ count: 51, held: 51, epoch: 1, generation: 1 }),
    )
    expect(last).toMatchObject({ facts: { count: 51, held: 51 }, session: { held: 51 } })
    expect(bed.auth.history.at(-1)).toMatchObject({ type: 'requestHeld', count: 51 })
    recorder.stop()
    await bed.endpoint.set('answers', bed.settle)
    await bed.close()
  })

  it('keeps apart what was turned away for different reasons', async () => {
    const made = rig({ initialTokens: tokens(1, { expires_in: 0 }), queueLimit: 2 })
    await made.clock.advance(0)
    const recorder = recording(made)
    const [one, other] = [new AbortController(), new AbortController()]
    const ask = (signal?: AbortSignal) =>
      void made.auth.getAccessToken(signal ? { signal } : {}).catch(() => {})

    for (const step of [
      () => ask(one.signal),
      () => ask(other.signal),
      () => ask(),
      () => ask(),
      () => one.abort(),
      () => other.abort(),
    ]) {
      step()
      await made.clock.advance(0)
    }

    const told = recorder.moments.filter(({ type, source }) => source === 'told' && /^request/.test(type))
    expect(told.map(({ type, facts: { reason, count } }) => [type, reason, count])).toEqual([
      ['requestHeld', undefined, 2],
      ['requestRejected', 'queue_full', 2],
      ['requestRejected', 'aborted', 2],
    ])
    expect(made.auth.history.filter(({ type }) => /^request/.test(type))).toHaveLength(3)
    recorder.stop()
    made.refresh.call().resolve(tokens(2))
    await made.clock.advance(0)
  })

  it('has a lane for each request of a transport', async () => {
    const { signedIn, url, server } = await setUp()
    const auth = await signedIn()
    const recorder = record(auth, { name: 'auth', now: Date.now, onChange() {} })
    const send = createAuthFetch(auth, { origins: [url] })
    server.expireAccessTokens()
    const begun = steadyNow()

    const response = await send(`${url}/api/me?secret=1`)
    await response.text()

    expect(recorder.lanes).toHaveLength(1)
    const [lane] = recorder.lanes
    expect(lane).toMatchObject({ name: 'GET /api/me', origin: url, status: 200, outcome: 'done' })
    expect(lane?.phases.map(({ phase }) => phase)).toEqual(['sent', 'held', 'replayed'])
    for (const at of [lane?.startedAt, lane?.endedAt]) {
      expect(at).toBeGreaterThanOrEqual(begun)
      expect(at).toBeLessThanOrEqual(steadyNow())
    }
    expect(recorder.open).toBe(0)
    recorder.stop()
  })

  it('forgets what happened and keeps what goes on, when it is cleared', async () => {
    const made = rig()
    await renew(made, 2)
    let changes = 0
    const recorder = recording(made, () => {
      changes++
    })
    const { moments, lanes, latest } = recorder
    const before = changes

    recorder.clear()

    expect([recorder.moments, recorder.lanes]).toEqual([[], []])
    expect([recorder.moments === moments, recorder.lanes === lanes]).toEqual([true, true])
    expect(recorder.latest).toBe(latest)
    expect(changes).toBe(before + 1)
    await renew(made, 3)
    expect(wordsOf(recorder)[0]).toBe('chart session.check')
    expect(recorder.latest.session.generation).toBe(3)
    recorder.stop()
  })

  it('keeps two thousand moments', async () => {
    const made = rig()
    await made.clock.advance(0)
    const recorder = recording(made)
    for (let n = 2; recorder.moments.length < 2000; n++) await renew(made, n)
    const [, second] = recorder.moments.slice(-2000)

    await renew(made, 1_000_000)

    expect(recorder.moments).toHaveLength(2000)
    expect(recorder.moments).not.toContain(second)
    expect(recorder.latest).toBe(recorder.moments.at(-1))
    recorder.stop()
  })

  it('leaves nothing behind once it is stopped', async () => {
    const made = rig()
    await made.clock.advance(0)
    const { auth, clock } = made
    const actor = auth.actor as unknown as {
      observers: Set<unknown>
      eventListeners: Map<string, Set<unknown>>
    }
    const listening = () => [
      actor.observers.size,
      actor.eventListeners.get('*')?.size,
      clock.pending,
      auth[GATE].watch as RequestWatch | undefined,
    ]
    const before = listening()
    let inspectors = 0
    const { system } = auth.actor
    const inspect = system.inspect.bind(system)
    system.inspect = (observer) => {
      const subscription = inspect(observer)
      inspectors++
      return {
        unsubscribe() {
          inspectors--
          subscription.unsubscribe()
        },
      }
    }
    const recorder = recording(made)
    expect(listening()).not.toEqual(before)
    expect(inspectors).toBeGreaterThan(0)

    recorder.stop()

    expect(listening()).toEqual(before)
    expect(inspectors).toBe(0)
    recorder.stop()
    expect(listening()).toEqual(before)
    const { length } = recorder.moments
    await renew(made, 2)
    expect(recorder.moments).toHaveLength(length)
  })

  it('tells the end of the session, and nothing after it', async () => {
    const made = rig()
    await made.clock.advance(0)
    const recorder = recording(made)

    made.auth.dispose()

    expect(recorder.latest).toMatchObject({ source: 'chart', type: 'end', active: ['disposed'] })
    expect(recorder.latest).toBe(recorder.moments.at(-1))
    const { length } = recorder.moments
    recorder.stop()
    expect(recorder.moments).toHaveLength(length)
  })

  it('tells why, and how often it was tried', async () => {
    const made = rig({ retry: { attempts: 2, minDelay: 1000, jitter: 0 } })
    const { auth, clock, refresh } = made
    await clock.advance(0)
    const recorder = recording(made)
    auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject({ status: 503 })
    await clock.advance(0)

    expect(recorder.latest).toMatchObject({ session: { attempt: 1 } })
    await clock.advance(1000)
    refresh.call().reject(refused())
    await clock.advance(LIFETIME)

    expect(recorder.latest).toMatchObject({ active: ['expired'], session: { reason: 'invalid_grant' } })
    const told = recorder.moments.filter(({ type }) => type === 'refreshFailed')
    expect(told.map(({ facts: { reason, status, fatal } }) => ({ reason, status, fatal }))).toEqual([
      { reason: 'server_error', status: 503, fatal: false },
      { reason: 'invalid_grant', status: 400, fatal: true },
    ])
    recorder.stop()
  })

  it('tells nothing of the former token once its session is over', async () => {
    const made = rig()
    await made.clock.advance(0)
    const recorder = recording(made)
    const from = recorder.moments.length

    await made.auth.signOut()

    for (const { session } of recorder.moments.slice(from)) expect(session).not.toHaveProperty('expiresAt')
    recorder.stop()
  })

  it('tells what the token is good for', async () => {
    const made = rig({ initialTokens: tokens(1, { scope: 'read write' }) })
    await made.clock.advance(0)
    const recorder = recording(made)

    expect(recorder.latest.session.scope).toBe('read write')
    recorder.stop()
  })

  it('records a session that lives in a worker, but for its requests and its transitions', async () => {
    const { signedIn, url } = await setUp()
    const auth = await signedIn()
    const page = connected(auth, { origins: [url] })
    const recorder = record(page, { name: 'page', now: Date.now, onChange() {} })
    expect(recorder.isRemote).toBe(true)
    await page.ready()
    await (await createAuthFetch(page, { origins: [url] })(`${url}/api/me`)).text()

    const out = entered(page, 'loggedOut')
    await page.signOut()
    await out

    expect(recorder.lanes).toEqual([])
    expect(recorder.moments.map(({ type }) => type)).toContain('signedIn')
    expect(recorder.moments.map(({ type }) => type)).toContain('signedOut')
    expect(recorder.moments.filter(({ taken }) => taken !== undefined)).toEqual([])
    expect(recorder.latest.active).toEqual(['loggedOut'])
    recorder.stop()
  })

  it('leaves other recorders alone', async () => {
    const made = rig()
    await made.clock.advance(0)
    const [one, other] = [recording(made), recording(made)]

    one.stop()
    await renew(made, 2)

    expect(other.latest.session.generation).toBe(2)
    other.stop()
  })
})
