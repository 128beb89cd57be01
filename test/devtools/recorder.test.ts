import { describe, expect, it } from 'vitest'
import { statePaths } from '../../machines/index.ts'
import { categoryOf } from '../../src/devtools/recording/moment.ts'
import { record, steadyNow } from '../../src/devtools/recording/recorder.ts'
import { readRecording, writeRecording } from '../../src/devtools/recording/recording.ts'
import { createTestBed } from '../../src/testing/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { entered, setUp } from '../conformance/harness.ts'
import { createHarness, LIFETIME, refused, tokens } from '../core/auth-setup.ts'
import { connected } from '../worker/in-process.ts'
import { labelsOf, recording, refreshOnce } from './recorder-harness.ts'

describe('record', () => {
  it('starts with the history and the current state of the session', async () => {
    const made = createHarness()
    await refreshOnce(made, 2)
    const { auth, clock } = made

    const recorder = recording(made)

    expect(recorder.moments.map(({ type, at }) => ({ type, at }))).toEqual(
      auth.history.map(({ type, at }) => ({ type, at })),
    )
    expect(recorder.moments.every(({ source }) => source === 'emitted')).toBe(true)
    expect(
      recorder.moments.every(({ step, transitions }) => step === undefined && transitions === undefined),
    ).toBe(true)
    expect(recorder.latest).toMatchObject({
      source: 'chart',
      type: 'begin',
      at: clock.now(),
      active: ['authenticated', 'authenticated.refreshable'],
      session: { epoch: 1, generation: 2, held: 0, expiresAt: clock.now() + LIFETIME },
    })
    expect(recorder.name).toBe('mine')
    recorder.stop()
  })

  it('records each event with the state after it', async () => {
    const made = createHarness()
    await made.clock.advance(0)
    const recorder = recording(made)
    const from = recorder.moments.length

    await refreshOnce(made, 2)

    expect(labelsOf(recorder, from)).toEqual([
      'emitted transition',
      'emitted transition',
      'emitted transition',
      'chart session.refresh',
      'emitted refreshed',
      'emitted transition',
      'emitted transition',
      'chart xstate.done.actor.0.auth.refreshing.attempt.requesting',
    ])
    const { moments, latest } = recorder
    expect(latest).toBe(moments.at(-1))
    expect(latest.active).toEqual(statePaths(made.auth.actor.getSnapshot().value))
    expect(latest.session).toMatchObject({ generation: 2, expiresAt: made.clock.now() + LIFETIME })
    expect(moments[from + 3]).toMatchObject({
      active: statePaths({ refreshing: { attempt: 'requesting', gate: 'open' } }),
      session: { generation: 1 },
      transitions: [{ source: 'authenticated.refreshable', target: 'refreshing', event: 'session.refresh' }],
    })
    recorder.stop()
  })

  it('numbers steps: emitted events have the number of their chart event', async () => {
    const made = createHarness()
    await made.clock.advance(0)
    const recorder = recording(made)
    await refreshOnce(made, 2)
    await made.auth.signOut()

    let before = -1
    for (const { source, step } of recorder.moments.filter(({ step }) => step !== undefined)) {
      expect(step).toBe(before + 1)
      if (source === 'chart') before++
    }
    expect(before).toBeGreaterThan(2)
    recorder.stop()
  })

  it('records times by the clock of the session and by a monotonic clock', async () => {
    const made = createHarness()
    await made.clock.advance(0)
    const recorder = recording(made)
    const from = recorder.moments.length
    const begun = steadyNow()

    made.clock.jump(-3_600_000)
    await refreshOnce(made, 2)

    for (const { at, seenAt } of recorder.moments.slice(from)) {
      expect(at).toBe(made.clock.now())
      expect(seenAt).toBeGreaterThanOrEqual(begun)
      expect(seenAt).toBeLessThanOrEqual(steadyNow())
    }
    recorder.stop()
  })

  it('calls onChange after each change', async () => {
    const made = createHarness()
    await made.clock.advance(0)
    let changes = 0
    const lengths: number[] = []
    const recorder = recording(made, () => {
      changes++
    })
    const begun = changes
    made.auth.on('*', () => lengths.push(recorder.moments.length))

    await refreshOnce(made, 2)

    expect(changes - begun).toBeGreaterThanOrEqual(9)
    recorder.stop()
    const after = changes
    await made.auth.signOut()
    expect(changes).toBe(after)
  })

  it('counts a burst of requests in two moments, like the history', async () => {
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

    expect(labelsOf(recorder, from - 2)).toEqual(['emitted requestHeld', 'chart request.held'])
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

  it('counts rejections with different reasons separately', async () => {
    const made = createHarness({ initialTokens: tokens(1, { expires_in: 0 }), queueLimit: 2 })
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

    const emitted = recorder.moments.filter(
      ({ type, source }) => source === 'emitted' && /^request/.test(type),
    )
    expect(emitted.map(({ type, facts: { reason, count } }) => [type, reason, count])).toEqual([
      ['requestHeld', undefined, 2],
      ['requestRejected', 'queue_full', 2],
      ['requestRejected', 'aborted', 2],
    ])
    expect(made.auth.history.filter(({ type }) => /^request/.test(type))).toHaveLength(3)
    recorder.stop()
    made.refresh.call().resolve(tokens(2))
    await made.clock.advance(0)
  })

  it('records a lane for each request of a transport', async () => {
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

  it('records the reason and the number of failed attempts', async () => {
    const made = createHarness({ retry: { attempts: 2, minDelay: 1000, jitter: 0 } })
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
    const failures = recorder.moments.filter(({ type }) => type === 'refreshFailed')
    expect(failures.map(({ facts: { reason, status, fatal } }) => ({ reason, status, fatal }))).toEqual([
      { reason: 'server_error', status: 503, fatal: false },
      { reason: 'invalid_grant', status: 400, fatal: true },
    ])
    recorder.stop()
  })

  it('records no facts of the former token after a sign-out', async () => {
    const made = createHarness()
    await made.clock.advance(0)
    const recorder = recording(made)
    const from = recorder.moments.length

    await made.auth.signOut()

    for (const { session } of recorder.moments.slice(from)) expect(session).not.toHaveProperty('expiresAt')
    recorder.stop()
  })

  it('records the scope of the token', async () => {
    const made = createHarness({ initialTokens: tokens(1, { scope: 'read write' }) })
    await made.clock.advance(0)
    const recorder = recording(made)

    expect(recorder.latest.session.scope).toBe('read write')
    recorder.stop()
  })

  it('records a session in a worker, without its requests and its transitions', async () => {
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
    expect(recorder.moments.filter(({ transitions }) => transitions !== undefined)).toEqual([])
    expect(recorder.latest.active).toEqual(['loggedOut'])
    recorder.stop()
  })
})

describe('a request without a token', () => {
  it('is a row of the panel that says why, also if it was sent before the panel was opened', async () => {
    const made = createHarness()
    const api = createAuthFetch(made.auth, {
      origins: ['https://api.example.com'],
      fetch: async () => new Response('{}'),
    })
    await api('https://early.example.com/me?secret=1')
    const recorder = recording(made)
    await api('https://api.example.com/me', { headers: { authorization: 'Basic x' } })
    const rows = recorder.moments.filter(({ type }) => type === 'withoutToken')
    expect(rows.map(({ facts, source }) => ({ ...facts, source }))).toEqual([
      { reason: 'origin_not_listed', request: 'GET https://early.example.com/me', source: 'emitted' },
      { reason: 'own_header', request: 'GET https://api.example.com/me', source: 'emitted' },
    ])
    expect(rows.map(categoryOf)).toEqual(['requests', 'requests'])
    expect(readRecording(writeRecording(recorder), 'file').moments).toHaveLength(recorder.moments.length)
    recorder.stop()
    await api('https://late.example.com/me')
    expect(recorder.moments.filter(({ type }) => type === 'withoutToken')).toHaveLength(2)
  })
})
