import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { describe, expect, it, onTestFinished } from 'vitest'
import { createAuthWith } from '../../src/core/create-auth.ts'
import { InvalidTokenResponseError } from '../../src/core/errors.ts'
import type { SessionRecord, TokenResponse } from '../../src/core/ports.ts'
import { bearerRequest } from '../../src/core/requests/bearer-request.ts'
import { readChallenge } from '../../src/core/requests/challenge.ts'
import { classifyFailure } from '../../src/core/session/failure.ts'
import { isSessionRecord, mergeRecord, recordOf } from '../../src/core/session/record.ts'
import { jwtClaims, parseTokenResponse } from '../../src/core/session/token-response.ts'
import { Vault } from '../../src/core/session/vault.ts'
import { createAuth } from '../../src/index.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import fc from '../support/property.ts'
import { createHarness, fakeEnvironment } from './auth-setup.ts'

/** A server that sends a body without end, as fast as it is read, and counts its open connections and its bytes. */
async function endlessServer(status: number, first: string) {
  const open = new Set<ServerResponse>()
  let sent = 0
  let ended = () => {}
  const allEnded = new Promise<void>((resolve) => {
    ended = resolve
  })
  const server = createServer((request, response) => {
    request.resume()
    open.add(response)
    response.writeHead(status, { 'content-type': 'application/json' }).write(first)
    const chunk = Buffer.alloc(16_384, 'a')
    const send = () => {
      if (!response.destroyed && sent < 64 * 1_048_576) response.write(chunk, () => setImmediate(send))
      sent += chunk.length
    }
    send()
    response.on('close', () => {
      open.delete(response)
      if (open.size === 0) ended()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, allEnded, sent: () => sent }
}

const initialTokens = { access_token: 'a', refresh_token: 'r' }

describe('the body of an answer', () => {
  it.each([
    ['an error that is thrown', 400, true],
    ['an error that is returned', 400, false],
    ['a token response', 200, false],
  ])('is read to a megabyte and then cancelled, if it never ends: %s', async (_, status, isThrown) => {
    const { url, allEnded, sent } = await endlessServer(status, '{"error":"')
    const auth = createAuth({
      initialTokens,
      retry: { attempts: 1 },
      refresh: async () => {
        const response = await fetch(url, { method: 'POST' })
        if (isThrown) throw response
        return response as object
      },
    })
    onTestFinished(() => auth.dispose())
    await expect(auth.refresh()).rejects.toMatchObject({ code: 'refresh_unavailable' })
    await allEnded
    expect(sent()).toBeLessThan(32 * 1_048_576)
  })

  it.each(['dispose()', 'timeouts.refresh'])('is cancelled by %s if it is silent', async (by) => {
    let cancelled = 0
    let pulled = false
    const silent = new ReadableStream({
      pull(controller) {
        if (pulled) return new Promise(() => {})
        pulled = true
        controller.enqueue(new TextEncoder().encode('{'))
        return undefined
      },
      cancel: () => void cancelled++,
    })
    const { auth, clock, refresh } = createHarness({ timeouts: { refresh: 1_000 }, retry: { attempts: 1 } })
    const refreshed = auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(new Response(silent, { status: 400 }))
    await clock.advance(500)
    expect(cancelled).toBe(0)
    if (by === 'dispose()') auth.dispose()
    else await clock.advance(5_000)
    await clock.advance(0)
    expect(cancelled).toBe(1)
    await refreshed
  })
})

describe('an answer of signIn', () => {
  it.each([
    ['a stream', () => new Response('{"access_token":"SECRET')],
    [
      'a client that parses it',
      () => ({ ok: true, json: async () => JSON.parse('{"access_token":"SECRET') }),
    ],
  ])('that is not JSON is an error that does not quote it: %s', async (_, answer) => {
    const { auth, signIn, clock } = createHarness({ signedOut: true })
    const signedIn = auth.signIn('x').catch((error) => error)
    await clock.advance(1)
    signIn.call().resolve(answer() as object)
    await clock.advance(1)
    const error = await signedIn
    expect(error).toMatchObject({ code: 'invalid_token_response', reason: 'invalid_response' })
    expect(inspect(error)).not.toContain('SECRET')
  })

  it('is given up if it consists of empty chunks without end', async () => {
    let reads = 0
    let cancelled = false
    const reader = {
      read: async () => ({ done: ++reads > 2_000_000, value: new Uint8Array(0) }),
      cancel: async () => {
        cancelled = true
      },
    }
    const { auth, signIn, clock } = createHarness({ signedOut: true })
    const signedIn = auth.signIn('x').catch((error) => error)
    await clock.advance(1)
    signIn.call().resolve({ ok: true, json: () => {}, body: { getReader: () => reader } } as object)
    expect(await signedIn).toMatchObject({ code: 'invalid_token_response' })
    expect(cancelled).toBe(true)
  })

  it('is cancelled if a chunk cannot be read', async () => {
    let cancelled = 0
    const broken = new ReadableStream({
      pull: (stream) => stream.enqueue(5),
      cancel: () => void cancelled++,
    })
    const { auth, signIn, clock } = createHarness({ signedOut: true })
    const signedIn = auth.signIn('x').catch((error) => error)
    await clock.advance(1)
    signIn.call().resolve(new Response(broken as never) as object)
    expect(await signedIn).toBeInstanceOf(TypeError)
    expect(cancelled).toBe(1)
  })
})

describe('a lifetime in a token response', () => {
  const instants = [
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -1,
    0,
    1e-300,
    0.001,
    0.999,
    1,
    3_600,
    1e13,
    1.7e308,
  ]
  const lifetime = fc.oneof(
    fc.constantFrom<unknown>(
      ...instants,
      ...instants.map(String),
      '',
      ' ',
      'soon',
      '0x1',
      [],
      {},
      true,
      null,
      1n,
    ),
    fc.double(),
    fc.double({ min: 0, max: 2 }),
  )

  it('causes no more than two refreshes per second, whatever it is', async () => {
    await fc.assert(
      fc.asyncProperty(lifetime, lifetime, fc.boolean(), async (value, refreshValue, inMilliseconds) => {
        const clock = createVirtualClock()
        let calls = 0
        const auth = createAuthWith(
          {
            initialTokens: { access_token: 'a', refresh_token: 'r', expires_in: 0.001 },
            refreshAhead: 60_000,
            refresh: async () => {
              calls++
              const expiry = inMilliseconds
                ? { expires_at: clock.now() + Number(value) }
                : { expires_in: value }
              return { access_token: 'a', ...expiry, refresh_token_expires_in: refreshValue } as TokenResponse
            },
          },
          { clock, environment: fakeEnvironment().environment, report: () => {} },
        )
        const sent = bearerRequest(auth, {
          send: async () => 200,
          challenge: () => undefined,
          replayable: true,
          key: () => '/',
        })
        await clock.advance(5_000)
        auth.dispose()
        expect(await sent).toBe(200)
        expect(calls).toBeLessThanOrEqual(11)
        return true
      }),
      { numRuns: 150 },
    )
  })
})

describe('any text from outside', () => {
  it('is not used if it is longer than a server would accept', () => {
    const long = 'x'.repeat(65_537)
    expect(() => parseTokenResponse({ access_token: long }, { clock: { now: () => 0 } }, true)).toThrow(
      InvalidTokenResponseError,
    )
    const response = { access_token: 'a', refresh_token: long, id_token: long, scope: long, subject: long }
    expect(parseTokenResponse(response, { clock: { now: () => 0 } }, true)).toMatchObject({
      refreshToken: undefined,
      idToken: undefined,
      scope: undefined,
      subject: undefined,
    })
  })

  it('has no claims if they are nested too deep, or too long', () => {
    const nested = (depth: number) => `{"sub":"ada","a":${'['.repeat(depth)}${']'.repeat(depth)}}`
    const jwt = (json: string) => `e30.${Buffer.from(json).toString('base64url')}.x`
    expect(jwtClaims(jwt(nested(10)))).toMatchObject({ sub: 'ada' })
    for (const depth of [20, 1_000, 20_000]) expect(jwtClaims(jwt(nested(depth)))).toBeUndefined()
    expect(jwtClaims(jwt(`{"sub":"${'x'.repeat(65_536)}"}`))).toBeUndefined()
  })

  it('is no record if a field is too long or no possible instant', () => {
    const record = { version: 1, id: 'x', rotation: 0, startedAt: 1, receivedAt: 1, accessToken: 'a' }
    expect(isSessionRecord(record)).toBe(true)
    for (const field of ['id', 'accessToken', 'refreshToken', 'idToken', 'scope', 'subject'])
      expect(isSessionRecord({ ...record, [field]: 'x'.repeat(65_537) }), field).toBe(false)
    for (const field of ['startedAt', 'receivedAt', 'expiresAt', 'refreshTokenExpiresAt', 'rotation'])
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 1e300, '1'])
        expect(isSessionRecord({ ...record, [field]: value }), field).toBe(false)
  })

  it('brings only the known fields of a record into the session', () => {
    const vault = new Vault(createVirtualClock())
    const record = {
      version: 1,
      id: 'x',
      rotation: 0,
      startedAt: 1,
      receivedAt: 1,
      accessToken: 'a',
    } as const
    mergeRecord(vault, { ...record, claims: { sub: 'eve' }, more: 'x'.repeat(1_000_000) } as SessionRecord)
    expect(Object.keys(recordOf(vault, false) ?? {}).sort()).not.toContain('more')
    expect(vault.session?.claims).toBeUndefined()
  })

  it('is read as a challenge only to a limited length', () => {
    const bearer = 'Bearer error="insufficient_scope", scope="admin"'
    expect(readChallenge(401, `Negotiate ${'x'.repeat(1_000)}, ${bearer}`)).toEqual({ scope: 'admin' })
    expect(readChallenge(401, `Negotiate ${'x'.repeat(20_000)}, ${bearer}`)).toBe('refresh')
    expect(readChallenge(401, '"'.repeat(1_000_000))).toBe('refresh')
    expect(readChallenge(401, 'Bearer __proto__="x", constructor="y"')).toBe('refresh')
  })

  it.each([
    ['seconds', { 'retry-after': '1000000000000' }],
    ['a date', { 'retry-after': 'Fri, 01 Jan 2100 00:00:00 GMT', date: 'Thu, 01 Jan 1970 00:00:00 GMT' }],
    ['a number with an exponent', { 'retry-after': 1e300 }],
  ])('is no wait of more than an hour: %s', async (_, headers) => {
    const failure = { now: 0, offline: false, signal: new AbortController().signal }
    expect(await classifyFailure({ status: 503, headers }, failure)).toMatchObject({ retryAfter: 3_600_000 })
  })
})
