import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { createAuthWith } from '../../src/core/create-auth.ts'
import { InvalidTokenResponseError, StorageError } from '../../src/core/errors.ts'
import { classifyFailure } from '../../src/core/session/failure.ts'
import { redact } from '../../src/core/session/redact.ts'
import { parseTokenResponse } from '../../src/core/session/token-response.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import fc from '../support/property.ts'
import { fakeEnvironment } from './auth-setup.ts'

const { signal } = new AbortController()
const causeOf = async (error: unknown) =>
  (await classifyFailure(error, { now: 0, offline: false, signal })).cause

/** All text of an error that an app could log. */
const everything = (error: Error) =>
  [
    String(error),
    error.stack,
    JSON.stringify({ ...error }),
    inspect(error, { depth: 10, showHidden: true, getters: true }),
  ].join('\n')

/** Where errors of HTTP clients, of apps and of servers have quoted a secret. */
const SHAPES: Readonly<Record<string, (secret: string) => unknown>> = {
  'a string': (secret) => secret,
  'the message': (secret) => new Error(`POST /token failed with ${secret}`),
  'a URL': (secret) =>
    new TypeError(`[POST] "https://id.example/token?refresh_token=${encodeURIComponent(secret)}"`),
  'a form': (secret) => new Error(new URLSearchParams({ refresh_token: secret }).toString()),
  'JSON in JSON': (secret) => new Error(JSON.stringify({ body: JSON.stringify({ access_token: secret }) })),
  XML: (secret) => new Error(`<access_token>${secret}</access_token>`),
  'a header': (secret) =>
    new Error(`Authorization: Bearer ${secret}, Set-Cookie: session=${secret}; HttpOnly`),
  'Basic credentials': (secret) =>
    new Error(`Authorization: Basic ${btoa(encodeURIComponent(secret))} ${secret}`),
  'the name': (secret) => Object.assign(new Error('x'), { name: `RequestError ${secret}` }),
  'the whole name': (secret) => Object.assign(new Error('x'), { name: secret }),
  'the code': (secret) => Object.assign(new Error('x'), { code: secret }),
  'the OAuth error': (secret) => ({ error: secret, error_description: secret }),
  'the status': (secret) => ({ status: secret, statusCode: secret, statusText: secret }),
  'a field of an Error': (secret) =>
    Object.assign(new Error('x'), { config: { data: secret }, request: { secret } }),
  'a cause': (secret) => new Error('x', { cause: new Error(secret, { cause: { code: secret } }) }),
  'an AggregateError': (secret) => new AggregateError([new Error(secret)], secret),
  'a DOMException': (secret) => new DOMException(secret, secret),
  'the stack': (secret) => Object.assign(new Error('x'), { stack: `Error: ${secret}\n    at ${secret}` }),
  'the input of a parser': (secret) => {
    try {
      return JSON.parse(`{"access_token":"${secret}", oops`)
    } catch (error) {
      return error
    }
  },
  'a Response': (secret) =>
    new Response(JSON.stringify({ error: secret }), {
      status: 400,
      statusText: 'x',
      headers: { 'x-token': btoa(encodeURIComponent(secret)) },
    }),
  'a response of ofetch or axios': (secret) =>
    Object.assign(new Error(secret), {
      response: { status: 400, data: secret, _data: secret, headers: { authorization: secret } },
    }),
  'an options object of got': (secret) =>
    Object.assign(new Error('x'), { options: { form: { refresh_token: secret } }, timings: secret }),
  'an error of the library': (secret) =>
    new StorageError(secret, { reason: secret, cause: new Error(secret) }),
  'an InvalidTokenResponseError': (secret) =>
    Object.assign(new InvalidTokenResponseError(secret), { token: secret }),
  'a symbol property': (secret) => Object.assign(new Error('x'), { [Symbol('kInternal')]: secret }),
  'a getter': (secret) =>
    Object.defineProperty(new Error('x'), 'code', { enumerable: true, get: () => secret }),
  'an error that a getter throws': (secret) =>
    Object.defineProperty({}, 'status', {
      get() {
        throw new Error(secret)
      },
    }),
}

/** The error of `refresh()` after the app's function has thrown that. */
async function refreshError(thrown: unknown): Promise<Error> {
  const clock = createVirtualClock()
  const auth = createAuthWith(
    { refresh: () => Promise.reject(thrown), initialTokens: { access_token: 'a' }, retry: { attempts: 1 } },
    { clock, environment: fakeEnvironment().environment, report: () => {} },
  )
  const error = auth.refresh().catch((rejected: Error) => rejected)
  await clock.advance(0)
  auth.dispose()
  return (await error) as Error
}

const secrets = fc.string({ unit: fc.constantFrom(...'abcXYZ019-._~+/=%&?'), minLength: 12, maxLength: 40 })

describe('the cause of a failure', () => {
  it.each(Object.entries(SHAPES))('leads to no secret in %s', async (_, make) => {
    await fc.assert(
      fc.asyncProperty(secrets, async (secret) => {
        const error = await refreshError(make(secret))
        expect(error.cause).toBeInstanceOf(Error)
        for (const text of [secret, encodeURIComponent(secret), btoa(encodeURIComponent(secret))])
          expect(everything(error)).not.toContain(text)
      }),
      { numRuns: 20 },
    )
  })

  it('keeps a known name, the status and the code of a system', async () => {
    const error = Object.assign(new TypeError('x'), {
      code: 'ECONNRESET',
      status: 502,
      config: {},
      cause: new Error('x'),
    })
    const cause = await causeOf(error)
    expect(cause).toMatchObject({ name: 'TypeError', code: 'ECONNRESET', status: 502 })
    expect(cause.message).toBe('The token endpoint answered 502')
    expect(Reflect.ownKeys(cause).sort()).toEqual(['code', 'message', 'name', 'stack', 'status'])
  })

  it.each(['ERR_NETWORK', 'UND_ERR_SOCKET', 'EAI_AGAIN', 'OAUTH_RESPONSE_BODY_ERROR', 'CERT_HAS_EXPIRED'])(
    'keeps the code %s',
    async (code) => {
      expect(await causeOf({ code })).toMatchObject({ code })
    },
  )

  it.each([
    ['text that a parser could not read', new SyntaxError('SECRET'), 'The answer was not valid JSON'],
    ['a Response', new Response(null, { status: 418 }), 'The token endpoint answered 418'],
    ['a body', { error: 'invalid_grant' }, 'The refresh function failed'],
    ['a string', 'invalid_grant', 'The refresh function failed'],
    ['undefined', undefined, 'The refresh function failed'],
  ])('has a message of the library if %s was thrown', async (_, thrown, message) => {
    expect((await causeOf(thrown)).message).toBe(message)
  })

  it('is the error itself if the library could not use the answer', async () => {
    const made = await Promise.resolve()
      .then(() => parseTokenResponse({}, { clock: { now: () => 0 } }, true))
      .catch((error: unknown) => error)
    expect(await causeOf(made)).toBe(made)
  })
})

describe('redact', () => {
  it.each([
    ['access_token', 'access_token=SECRET'],
    ['id_token', '"id_token": "SECRET"'],
    ['accessToken', "accessToken: 'SECRET'"],
    ['client_secret', 'client_secret=SECRET&x=1'],
    ['password', '{"password":"SECRET"}'],
    ['code', '?code=SECRET'],
    ['code_verifier', 'code_verifier=SECRET'],
    ['client_assertion', 'client_assertion=SECRET'],
    ['token', 'token=SECRET&token_type_hint=refresh_token'],
  ])('removes a secret with the name %s', (_, message) => {
    expect(redact(`failed: ${message}`)).not.toContain('SECRET')
    expect(redact(`failed: ${message}`)).toContain('[redacted]')
  })

  it('does not change text without a secret', () => {
    const text = 'Request failed with status code 400 for /token, because a b was bad'
    expect(redact(text)).toBe(text)
  })
})
