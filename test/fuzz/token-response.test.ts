import { inspect } from 'node:util'
import { expect } from 'vitest'
import { AuthError } from '../../src/index.ts'
import fc from '../support/property.ts'
import { clonable, likely } from './clonable.ts'
import { fuzz, settled } from './fuzz.ts'
import { createFuzzedAuth, SECRET } from './session.ts'

const number = fc.oneof(
  fc.double(),
  fc.integer({ min: -5, max: 4_000 }),
  fc.constantFrom(0, 1e-9, 0.999, 1e13, 8.64e15, 1e300, Number.MAX_SAFE_INTEGER),
)
const lifetime = fc.oneof(number, number.map(String), fc.constantFrom<unknown>('', 'soon', [], null, 1n))
const instant = fc.oneof(
  lifetime,
  number.map((n) => 1_700_000_000_000 + n),
  fc.date({ noInvalidDate: false }),
)
const base64url = (text: string) => Buffer.from(text).toString('base64url')
const claims = fc.oneof(
  likely({ sub: fc.string(), iss: fc.string(), exp: number, iat: number }).map((fields) => {
    try {
      return JSON.stringify(fields)
    } catch {
      return '{}'
    }
  }),
  fc.json(),
  fc.constantFrom(
    'null',
    '[]',
    '{',
    `{"a":${'['.repeat(5_000)}${']'.repeat(5_000)}}`,
    '{"__proto__":{"sub":"x"}}',
  ),
)
const jwt = fc.oneof(
  claims.map((json) => `e30.${base64url(json)}.${SECRET}`),
  fc.uint8Array().map((bytes) => `.${Buffer.from(bytes).toString('base64')}.${SECRET}`),
)
const token = fc.oneof(
  jwt,
  fc.constantFrom(SECRET, `${SECRET}\n`, `${SECRET}é`, '', SECRET.repeat(20_000), '.'.repeat(60_000)),
)
const body = likely({
  access_token: token,
  refresh_token: token,
  id_token: token,
  token_type: fc.constantFrom('Bearer', 'bearer', 'DPoP'),
  expires_in: lifetime,
  expires_at: instant,
  refresh_token_expires_in: lifetime,
  scope: fc.string(),
  subject: fc.string(),
})
const failure = likely({
  error: fc.constantFrom('invalid_grant', 'temporarily_unavailable', 'slow_down', 'x'),
  error_description: fc.constant(SECRET),
  status: fc.constantFrom(400, 401, 429, 503),
  retryAfter: number,
  headers: fc.dictionary(fc.constantFrom('Retry-After', 'date', 'get'), lifetime),
  cause: clonable,
  response: clonable,
  message: fc.constantFrom(SECRET, 'invalid_grant'),
})

const json = (value: unknown) => {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return ''
  }
}
const bodyText = fc.oneof(
  body.map(json),
  failure.map(json),
  fc.json(),
  fc.constantFrom(
    '',
    '<html>',
    `{"access_token":"${SECRET}`,
    `${SECRET}`,
    '['.repeat(100_000),
    ' '.repeat(2_000_000),
  ),
)
const header = fc.oneof(
  number.map((n) => `${n}`),
  fc.date({ noInvalidDate: true }).map((date) => date.toUTCString()),
  fc.string(),
  fc.constantFrom('-1', '0x10', '1e9', 'Infinity', '9'.repeat(5_000), 'application/json', 'text/html'),
)
/** An answer as `fetch` gives it, or one whose parts fail. */
const response = fc
  .record({
    text: bodyText,
    status: fc.constantFrom(200, 200, 201, 400, 401, 403, 404, 408, 429, 500, 503, 599),
    headers: fc.dictionary(
      fc.constantFrom('retry-after', 'date', 'content-type', 'www-authenticate'),
      header,
    ),
    as: fc.constantFrom('response', 'response', 'used', 'silent', 'broken', 'odd chunks', 'error'),
  })
  .map(({ text, status, headers, as }) => ({
    make: (): unknown => {
      if (as === 'error') return Response.error()
      if (as === 'odd chunks') {
        const chunks: unknown[] = [new Uint8Array(0), text, 5, null]
        return new Response(
          new ReadableStream({ pull: (stream) => stream.enqueue(chunks.shift()) }) as never,
          { status },
        )
      }
      if (as === 'silent')
        return new Response(new ReadableStream({ pull: () => new Promise(() => {}) }), { status })
      if (as === 'broken')
        return new Response(new ReadableStream({ pull: () => Promise.reject(new TypeError(SECRET)) }), {
          status,
        })
      const made = new Response(text, { status, headers })
      if (as === 'used') void made.text()
      return made
    },
  }))

const hostile = fc.constantFrom<() => unknown>(
  () =>
    new Proxy(
      {},
      {
        get: () => {
          throw new TypeError(SECRET)
        },
      },
    ),
  () => new Proxy({}, { get: (_, key) => (key === 'then' ? undefined : SECRET) }),
  () =>
    new Proxy(
      {},
      {
        getPrototypeOf: () => {
          throw new TypeError(SECRET)
        },
        get: () => undefined,
      },
    ),
  () => ({
    get access_token() {
      throw new RangeError(SECRET)
    },
  }),
  () => ({
    ok: true,
    json: () => {
      throw new SyntaxError(SECRET)
    },
  }),
  () => ({ ok: true, json: () => ({ ok: true, json: () => new Promise(() => {}) }) }),
  () => ({ ok: true, json: 1, body: 5 }),
  () => () => {},
  () => Symbol(SECRET),
)

const answer = fc.oneof(
  { weight: 6, arbitrary: body.map((value) => ({ make: (): unknown => value })) },
  { weight: 3, arbitrary: response },
  { weight: 1, arbitrary: failure.map((value) => ({ make: (): unknown => value })) },
  { weight: 1, arbitrary: clonable.map((value) => ({ make: (): unknown => value })) },
  { weight: 1, arbitrary: hostile.map((make) => ({ make })) },
)
const step = fc.record({ answer, isThrown: fc.boolean() })

/** The typed errors of the library carry a code. Any other error of a sign-in or of `setTokens` is the app's own. */
const isTyped = (error: unknown) => error instanceof AuthError && typeof error.code === 'string'

fuzz(
  'a refresh ends in a session or a typed error, in bounded work, whatever the token endpoint answers',
  fc.array(step, { minLength: 1, maxLength: 6 }),
  async (steps) => {
    let calls = 0
    const session = createFuzzedAuth({
      initialTokens: { access_token: SECRET, refresh_token: `${SECRET}-rt`, expires_in: 600 },
      refresh: async () => {
        const { answer, isThrown } = steps[calls++ % steps.length]!
        const value = answer.make()
        if (isThrown) throw value
        return value as object
      },
    })
    const { auth, clock, timers } = session
    const outcomes: Promise<unknown>[] = []
    for (let round = 0; round < 3; round++) {
      const [before, set] = [calls, timers()]
      for (const promise of [auth.refresh(), auth.getAccessToken()])
        outcomes.push(promise.catch((error) => error))
      await clock.advance(10_000)
      expect(calls - before, 'refreshes in ten seconds').toBeLessThanOrEqual(25)
      expect(timers() - set, 'timers in ten seconds').toBeLessThanOrEqual(250)
      session.check()
    }
    await session.end()
    for (const promise of outcomes) {
      const outcome = await settled('a refresh or a token', promise)
      if (!(outcome instanceof Error)) continue
      expect(isTyped(outcome), String(outcome)).toBe(true)
      expect(inspect(outcome)).not.toContain(SECRET)
    }
  },
)

fuzz(
  'a sign-in or tokens of the app end in a session or an error without secrets, whatever is returned',
  fc.record({ answer, entry: fc.constantFrom('signIn', 'setTokens', 'initialTokens') }),
  async ({ answer, entry }) => {
    const given = answer.make()
    // The app gets its own error: the answer of its server, or what its own object or a broken
    // stream throws.
    const isForeign = (error: unknown) =>
      error === given ||
      !(error instanceof Error) ||
      error.message === SECRET ||
      (error instanceof TypeError && Object.prototype.toString.call(given) === '[object Response]')
    let session: ReturnType<typeof createFuzzedAuth>
    try {
      session = createFuzzedAuth({
        signIn: async () => given as object,
        ...(entry === 'initialTokens' && { initialTokens: given as object }),
      })
    } catch (error) {
      if (!isForeign(error)) expect(isTyped(error), String(error)).toBe(true)
      return
    }
    const { auth, clock } = session
    const started =
      entry === 'signIn'
        ? auth.signIn({})
        : entry === 'setTokens'
          ? auth.setTokens(given as object)
          : auth.ready()
    const outcome = started.then(
      () => undefined,
      (error) => error,
    )
    await clock.advance(200_000)
    const error = await settled(entry, outcome)
    if (error !== undefined && !isForeign(error)) expect(isTyped(error), String(error)).toBe(true)
    session.check()
    const signedIn = auth.setTokens({ access_token: SECRET })
    await clock.advance(1)
    expect(await settled('tokens afterwards', signedIn)).toMatchObject({ epoch: auth.session?.epoch })
    session.check()
    await session.end()
  },
)
