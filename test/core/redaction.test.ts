import { describe, expect, it } from 'vitest'
import { classifyFailure } from '../../src/core/session/failure.ts'
import { redact } from '../../src/core/session/redact.ts'
import fc from '../support/property.ts'

const TOKEN = 'rt+SECRET/42=='
const causeOf = async (error: unknown) =>
  (await classifyFailure(error, { now: 0, offline: false, secrets: [TOKEN, undefined] })).cause

/** All text of an error that an app could log. */
const everything = (error: Error) =>
  `${error.name} ${error.stack} ${error.message} ${JSON.stringify(error)} ${String(error.cause)}`

describe('the cause of a failure', () => {
  it.each([
    ['in a URL', `[POST] "https://id.example/token?refresh_token=${encodeURIComponent(TOKEN)}&x=1": 400`],
    ['in a form', `body was grant_type=refresh_token&refresh_token=${encodeURIComponent(TOKEN)}`],
    ['in a form, encoded in another way', new URLSearchParams({ q: TOKEN }).toString()],
    ['in JSON', JSON.stringify({ refresh_token: TOKEN })],
    ['in an object literal', `{ refreshToken: '${TOKEN}' }`],
    ['without a context', `cannot use ${TOKEN}`],
    ['twice', `${TOKEN} ${TOKEN}`],
  ])('contains no token that the message quotes %s', async (_, message) => {
    const cause = await causeOf(new Error(message))
    expect(everything(cause)).not.toContain('SECRET')
    expect(cause.message).toContain('[redacted]')
  })

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
  ])('contains no unknown secret with the name %s', async (_, message) => {
    expect(everything(await causeOf(new Error(`failed: ${message}`)))).not.toContain('SECRET')
  })

  it('keeps the name, the code, the status and the rest of the message', async () => {
    const error = Object.assign(new TypeError(`POST /token failed with ${TOKEN}`), {
      code: 'ECONNRESET',
      status: 502,
      config: { data: TOKEN },
      request: { body: TOKEN },
      cause: new Error(TOKEN),
    })
    const cause = await causeOf(error)
    expect(cause).toMatchObject({
      name: 'TypeError',
      message: 'POST /token failed with [redacted]',
      code: 'ECONNRESET',
      status: 502,
    })
    expect(Object.keys(cause).sort()).toEqual(['code', 'name', 'status'])
    expect(everything(cause)).not.toContain('SECRET')
  })

  it('does not quote text that a parser could not read', async () => {
    const syntax = await Promise.resolve()
      .then(() => JSON.parse(`{"access_token":"SECRET", oops`))
      .catch((error: unknown) => error)
    const cause = await causeOf(syntax)
    expect(cause.message).toBe('The answer was not valid JSON')
    expect(everything(cause)).not.toContain('SECRET')
  })

  it.each([
    ['a Response', new Response(null, { status: 418 }), 'The token endpoint answered 418'],
    ['a body', { error: 'invalid_grant' }, 'The refresh function failed'],
    ['a string', 'invalid_grant', 'invalid_grant'],
    ['undefined', undefined, 'The refresh function failed'],
  ])('has a message if %s was thrown', async (_, thrown, message) => {
    const cause = await causeOf(thrown)
    expect(cause).toBeInstanceOf(Error)
    expect(cause.message).toBe(message)
  })
})

describe('redact', () => {
  it('removes every secret, wherever it is and however it is encoded', () => {
    const secret = fc.string({ unit: fc.constantFrom(...'abcXYZ019-._~+/=%&?'), minLength: 8 })
    fc.assert(
      fc.property(secret, fc.string(), fc.string(), (value, before, after) => {
        for (const text of [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)]) {
          expect(redact(`${before}${text}${after}`, [value])).not.toContain(text)
        }
      }),
      { numRuns: 500 },
    )
  })

  it('does not change text without a secret', () => {
    expect(redact('Request failed with status code 400 for /token', [undefined, ''])).toBe(
      'Request failed with status code 400 for /token',
    )
  })
})
