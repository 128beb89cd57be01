import { describe, expect, test } from 'vitest'
import type { TokenServer, TokenServerOptions } from '../../src/testing/token-server/token-server.ts'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import { start, tokensOf } from './token-server-setup.ts'

const refresh = (server: TokenServer, refreshToken: string) =>
  server.fetch('/token', {
    method: 'POST',
    body: new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken }),
  })

describe('the script of a server', () => {
  test('pendingScripts counts the scripted faults until requests take them', async () => {
    const server = createTokenServer()
    const { refresh_token } = server.issue()
    expect(server.pendingScripts).toBe(0)
    server.failNext(2)
    server.dropNext()
    server.holdNext(3)
    server.holdApiNext()
    server.failNext(0)
    expect(server.pendingScripts).toBe(7)
    await refresh(server, refresh_token)
    expect(server.pendingScripts).toBe(6)
    server.hangNext(Infinity)
    expect(server.pendingScripts).toBe(Infinity)
  })

  test('clearScripts discards the scripted faults and nothing else', async () => {
    const server = createTokenServer()
    const { refresh_token } = server.issue()
    server.failNext(Infinity)
    server.tokenDelay = 60_000
    server.clearScripts()
    expect([server.pendingScripts, server.tokenDelay]).toEqual([0, 0])
    await tokensOf(refresh(server, refresh_token))
    server.clearScripts()
    expect([server.refreshes, server.log.length]).toEqual([1, 1])
  })

  test('reset discards the scripted faults and drops the requests that took one', async () => {
    const clock = createVirtualClock()
    const server = createTokenServer({ clock })
    const { refresh_token } = server.issue()
    server.hangNext()
    server.delayNext(60_000)
    server.failNext()
    const rejected = [1, 2].map(() => expect(refresh(server, refresh_token)).rejects.toThrow(TypeError))
    await server.whenRequest(() => server.log.length === 2)
    server.reset()
    await Promise.all(rejected)
    expect([server.pendingScripts, clock.pending, server.tokenRequests, server.log]).toEqual([0, 0, 0, []])
    await tokensOf(refresh(server, refresh_token))
  })

  test('a fault without a count affects one request', async () => {
    const server = createTokenServer()
    const { refresh_token } = server.issue()
    server.failNext()
    server.dropNext()
    server.dropAnswerNext()
    expect((await refresh(server, refresh_token)).status).toBe(500)
    await expect(refresh(server, refresh_token)).rejects.toThrow(TypeError)
    await expect(refresh(server, refresh_token)).rejects.toThrow(TypeError)
    expect(server).toMatchObject({ refreshes: 1, pendingScripts: 0 })
  })
})

test('delays use the clock of the server', async () => {
  const clock = createVirtualClock()
  const server = createTokenServer({ clock })
  const { access_token, refresh_token } = server.issue()
  server.delayNext(40_000)
  server.tokenDelay = 20_000
  const reply = refresh(server, refresh_token)
  const slow = server.fetch('/api/slow?ms=50000', { headers: { authorization: `Bearer ${access_token}` } })
  await clock.advance(59_999)
  expect(server.refreshes).toBe(0)
  await clock.advance(1)
  expect(server.refreshes).toBe(1)
  await tokensOf(reply)
  expect((await slow).status).toBe(200)
  expect(server.log.map(({ at }) => clock.now() - at)).toEqual([60_000, 60_000])
})

test('the log has the generation of the token that each request presented', async () => {
  const server = createTokenServer()
  const first = server.issue()
  const second = await tokensOf(refresh(server, first.refresh_token))
  await refresh(server, first.refresh_token)
  await server.fetch('/revoke', {
    method: 'POST',
    body: new URLSearchParams({ token: second.refresh_token }),
  })
  await server.fetch('/api/x', { headers: { authorization: `Bearer ${second.access_token}` } })
  await refresh(server, 'rt-guess')
  expect(server.log.map(({ path, generation }) => [path, generation])).toEqual([
    ['/token', 1],
    ['/token', 1],
    ['/revoke', 2],
    ['/api/x', 2],
    ['/token', undefined],
  ])
})

describe('renew', () => {
  test('renew refreshes as another tab would, without script and log', async () => {
    const server = createTokenServer()
    const first = server.issue()
    server.failNext()
    const second = server.renew(first.refresh_token)
    expect(server).toMatchObject({ refreshes: 1, tokenRequests: 0, pendingScripts: 1, log: [] })
    server.clearScripts()
    await tokensOf(refresh(server, second.refresh_token))
  })

  test('renew throws if the server rejects the token, and counts reuse', () => {
    const server = createTokenServer()
    const { refresh_token } = server.issue()
    server.renew(refresh_token)
    expect(() => server.renew(refresh_token)).toThrow(/invalid_grant: The refresh token was used before/)
    expect(() => server.renew('rt-guess')).toThrow(/unknown/)
    expect(server).toMatchObject({ refreshes: 1, reuseDetections: 1 })
  })

  test('renew returns the same refresh token without rotation', () => {
    const server = createTokenServer({ rotate: false })
    const { refresh_token } = server.issue()
    expect(server.renew(refresh_token)).toMatchObject({ refresh_token, expires_in: 3600 })
  })
})

describe('listen', () => {
  test('listen accepts a port and a hostname', async () => {
    const { close } = await start()
    const server = createTokenServer()
    await using first = await server.listen({ hostname: 'localhost' })
    expect(first.url).toMatch(/^http:\/\/localhost:\d+$/)
    expect((await fetch(`${first.url}/public`)).status).toBe(200)
    const port = Number(new URL(first.url).port)
    await first.close()
    await using second = await server.listen({ port })
    expect(second.url).toBe(`http://127.0.0.1:${port}`)
    await expect(server.listen({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
    await Promise.all([second.close(), second.close(), close()])
  })

  test('listen at all addresses returns a URL that can be called', async () => {
    await using listening = await createTokenServer().listen({ hostname: '0.0.0.0' })
    expect(listening.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    expect((await fetch(`${listening.url}/public`)).status).toBe(200)
  })

  test("listen rejects with Node's error for an address of another machine", async () => {
    const elsewhere = createTokenServer().listen({ hostname: '192.0.2.1' })
    await expect(elsewhere).rejects.toMatchObject({ code: 'EADDRNOTAVAIL' })
  })

  test.each([
    [{ port: -1 }, RangeError],
    [{ port: 65_536 }, RangeError],
    [{ port: 1.5 }, RangeError],
    [{ port: '80' as never }, TypeError],
    [{ hostname: '' }, TypeError],
  ])('listen rejects the options %j', async (where, error) => {
    const listening = createTokenServer().listen(where)
    await expect(listening).rejects.toThrow(error)
    await expect(listening).rejects.toThrow(/^listen: /)
  })

  test('a preflight allows the requested headers, with credentials', async () => {
    await using listening = await createTokenServer().listen()
    const reply = await fetch(`${listening.url}/token`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://app.test',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,x-csrf',
      },
    })
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      'access-control-allow-origin': 'http://app.test',
      'access-control-allow-credentials': 'true',
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': 'content-type,x-csrf',
    })
  })
})

describe('invalid options and parameters', () => {
  const never = null as never

  test.each<[TokenServerOptions, ErrorConstructor, RegExp]>([
    [{ accessTokenLifetime: -1 }, RangeError, /accessTokenLifetime must be at least 0 and finite, not -1/],
    [{ accessTokenLifetime: Infinity }, RangeError, /accessTokenLifetime/],
    [{ accessTokenLifetime: '60' as never }, TypeError, /accessTokenLifetime must be a number, not '60'/],
    [{ reuseGrace: Number.NaN }, RangeError, /reuseGrace/],
    [{ clockSkew: Infinity }, RangeError, /clockSkew must be a finite number/],
    [{ scope: 'two  spaces' }, TypeError, /scope must be words/],
    [{ rotate: 'no' as never }, TypeError, /rotate must be true or false/],
    [{ now: 5 as never }, TypeError, /now must be a function/],
    [{ clock: { now: () => 1 } as never }, TypeError, /clock.setTimeout must be a function/],
    [{ origin: 'auth.test' }, TypeError, /origin must be an http or https origin/],
    [{ origin: 'https://auth.test/path' }, TypeError, /origin/],
    [{ origin: 'ftp://auth.test' }, TypeError, /origin/],
    [{ routes: { '/items': {} } }, TypeError, /paths that begin with '\/api\/'/],
    [{ routes: { '/api/items?x': {} } }, TypeError, /paths without a query/],
    [{ routes: { '/api/*/parts': {} } }, TypeError, /'\*'/],
    [{ routes: { '/api/it*': {} } }, TypeError, /'\*'/],
    [{ routes: { '/api/a': never } }, TypeError, /routes\['\/api\/a'\] must be an object, not null/],
    [{ routes: { '/api/a': { scope: '"' } } }, TypeError, /scope must be words/],
    [{ routes: { '/api/a': { acrValues: 7 as never } } }, TypeError, /acrValues/],
    [{ routes: { '/api/a': { maxAge: -1 } } }, RangeError, /maxAge/],
    [{ routes: { '/api/a': { handler: new Response() as never } } }, TypeError, /handler must be a function/],
  ])('createTokenServer(%j) throws', (options, error, message) => {
    expect(() => createTokenServer(options)).toThrow(error)
    expect(() => createTokenServer(options)).toThrow(message)
  })

  test.each<[string, (server: TokenServer) => void, ErrorConstructor]>([
    ['failNext(-1)', ({ failNext }) => failNext(-1), RangeError],
    ['failNext(1.5)', ({ failNext }) => failNext(1.5), RangeError],
    ["failNext('1')", ({ failNext }) => failNext('1' as never), TypeError],
    ['failNext(1, 503)', ({ failNext }) => failNext(1, 503 as never), TypeError],
    ['failNext with status 99', ({ failNext }) => failNext(1, { status: 99 }), RangeError],
    [
      'failNext with a malformed header',
      ({ failNext }) => failNext(1, { headers: { 'a b': '' } }),
      TypeError,
    ],
    ['retryAfterNext()', ({ retryAfterNext }) => retryAfterNext(undefined as never), TypeError],
    ['retryAfterNext with status 600', ({ retryAfterNext }) => retryAfterNext(1, 600), RangeError],
    ['delayNext(-1)', ({ delayNext }) => delayNext(-1), RangeError],
    ['delayNext(Infinity)', ({ delayNext }) => delayNext(Infinity), RangeError],
    ['delayAnswerNext(NaN)', ({ delayAnswerNext }) => delayAnswerNext(Number.NaN), RangeError],
    ["malformNext('xml')", ({ malformNext }) => malformNext('xml' as never), TypeError],
    ['holdNext(0)', ({ holdNext }) => holdNext(0), RangeError],
    ['holdNext(Infinity)', ({ holdNext }) => holdNext(Infinity), RangeError],
    ["holdApiNext('/api/x')", ({ holdApiNext }) => holdApiNext('/api/x' as never), TypeError],
    ["malform('xml')", ({ holdNext }) => holdNext().malform('xml' as never), TypeError],
    ['fail with status 0', ({ holdNext }) => holdNext().fail({ status: 0 }), RangeError],
    [
      "answer({ check: 'never' })",
      ({ holdApiNext }) => holdApiNext().answer({ check: 'never' as never }),
      TypeError,
    ],
    ['issue with a malformed scope', ({ issue }) => issue('ada', { scope: '"' }), TypeError],
    [
      'stepUp with a malformed acr',
      ({ stepUp, issue }) => stepUp(issue().access_token, { acr: 7 as never }),
      TypeError,
    ],
    [
      'tokenDelay = -1',
      (server) => {
        server.tokenDelay = -1
      },
      RangeError,
    ],
  ])('%s throws', (_, call, error) => {
    const server = createTokenServer()
    expect(() => call(server)).toThrow(error)
  })

  test('an invalid parameter leaves the script unchanged', () => {
    const server = createTokenServer()
    expect(() => server.delayNext(5, -1)).toThrow(RangeError)
    expect(() => server.malformNext('xml' as never)).toThrow(
      /'html' or 'bad-json' or 'no-access-token' or 'empty'/,
    )
    expect(server.pendingScripts).toBe(0)
  })
})
