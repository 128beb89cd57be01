import { describe, expect, it } from 'vitest'
import { InvalidTokenResponseError } from '../../src/core/errors.ts'
import { jwtClaims, parseTokenResponse } from '../../src/core/session/token-response.ts'
import fc from '../support/property.ts'

const NOW = 1_700_000_000_000
const SECONDS = NOW / 1000

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
const jwt = (claims: unknown) => `${encode({ alg: 'none' })}.${encode(claims)}.signature`

const parse = (response: unknown, fresh = true, previous?: Parameters<typeof parseTokenResponse>[3]) =>
  parseTokenResponse(response, { clock: { now: () => NOW } }, fresh, previous)
const expiryOf = (more: object, fresh = true) => parse({ access_token: 'a', ...more }, fresh).expiresAt

describe('a token response', () => {
  it('is read in snake case, with every field of RFC 6749', () => {
    expect(
      parse({
        access_token: 'at',
        refresh_token: 'rt',
        expires_in: 60,
        token_type: 'Bearer',
        scope: 'read write',
        id_token: jwt({ sub: 'ada', name: 'Ada' }),
        refresh_token_expires_in: 3_600,
        unknown_field: true,
      }),
    ).toEqual({
      accessToken: 'at',
      refreshToken: 'rt',
      idToken: jwt({ sub: 'ada', name: 'Ada' }),
      receivedAt: NOW,
      expiresAt: NOW + 60_000,
      refreshTokenExpiresAt: NOW + 3_600_000,
      scope: 'read write',
      subject: 'ada',
      user: { idToken: '[null,"ada"]' },
      claims: { sub: 'ada', name: 'Ada' },
    })
  })

  it('is read in camel case', () => {
    expect(
      parse({
        accessToken: 'at',
        refreshToken: 'rt',
        expiresIn: '60',
        tokenType: 'bearer',
        idToken: jwt({ sub: 'ada' }),
        refreshTokenExpiresIn: '3600',
      }),
    ).toMatchObject({
      accessToken: 'at',
      refreshToken: 'rt',
      expiresAt: NOW + 60_000,
      subject: 'ada',
      refreshTokenExpiresAt: NOW + 3_600_000,
    })
  })

  it('needs only an access token, and treats null as missing', () => {
    const least = {
      accessToken: 'at',
      refreshToken: undefined,
      idToken: undefined,
      receivedAt: NOW,
      expiresAt: undefined,
      refreshTokenExpiresAt: undefined,
      scope: undefined,
      subject: undefined,
      user: {},
      claims: undefined,
    }
    expect(parse({ access_token: 'at' })).toEqual(least)
    expect(
      parse({
        access_token: 'at',
        refresh_token: null,
        expires_in: null,
        expires_at: null,
        token_type: null,
        scope: null,
        id_token: null,
        refresh_token_expires_in: null,
        subject: null,
      }),
    ).toEqual(least)
  })

  it.each([
    [null, 'it is null, not an object'],
    [undefined, 'it is undefined, not an object'],
    ['SECRET', 'it is string, not an object'],
    [{}, 'it has no access_token'],
    [{ access_token: null }, 'it has no access_token'],
    [[], 'it has no access_token'],
    [{ access_token: 7 }, 'its access_token is not a string of visible ASCII characters'],
    ...[
      '',
      'SECRET ',
      ' SECRET',
      'SECRET\r\nX: y',
      'SECRET\0',
      'SECRÉT',
      'SECRET\u{1f511}',
      'SECRET\x7f',
    ].map((token): [unknown, string] => [
      { access_token: token },
      'its access_token is not a string of visible ASCII characters',
    ]),
    [
      { access_token: 'SECRET', token_type: 'mac' },
      'its token_type is neither Bearer nor, with the option proof, DPoP',
    ],
    [
      { access_token: 'SECRET', token_type: 'DPoP' },
      'its token_type is neither Bearer nor, with the option proof, DPoP',
    ],
    [
      { access_token: 'SECRET', token_type: 7 },
      'its token_type is neither Bearer nor, with the option proof, DPoP',
    ],
  ])('is rejected if it is unusable, without being quoted: %j', (response, problem) => {
    const read = () => parse(response)
    expect(read).toThrow(InvalidTokenResponseError)
    expect(read).toThrow(`The token response cannot be used: ${problem}.`)
    expect(read).not.toThrow(/SECR/)
  })

  it.each(['Bearer', 'bearer', 'BEARER'])('is accepted with the token type %s', (token_type) => {
    expect(parse({ access_token: 'at', token_type }).accessToken).toBe('at')
  })
})

describe('the expiry in a token response', () => {
  it.each<[string, object, number | undefined]>([
    ['a number of seconds', { expires_in: 60 }, NOW + 60_000],
    ['a fraction of a second', { expires_in: 1.5 }, NOW + 1_500],
    ['a numeric string', { expires_in: '60' }, NOW + 60_000],
    ['missing', {}, undefined],
    ['an empty string', { expires_in: '' }, undefined],
    ['a blank string', { expires_in: '  ' }, undefined],
    ['a word', { expires_in: 'soon' }, undefined],
    ['NaN', { expires_in: Number.NaN }, undefined],
    ['infinite', { expires_in: Number.POSITIVE_INFINITY }, undefined],
    ['true', { expires_in: true }, undefined],
    ['too large to be an instant', { expires_in: 1.7e308 }, undefined],
    ['a Date', { expires_at: new Date(NOW + 5_000) }, NOW + 5_000],
    ['an invalid Date', { expires_at: new Date('x') }, undefined],
    ['an ISO string', { expiresAt: new Date(NOW + 5_000).toISOString() }, NOW + 5_000],
    ['an instant in seconds', { expires_at: SECONDS + 5 }, NOW + 5_000],
    ['an instant in milliseconds', { expiresAt: NOW + 5_000 }, NOW + 5_000],
    ['an instant in seconds, as a string', { expiresAt: String(SECONDS + 5) }, NOW + 5_000],
    ['an instant in words', { expiresAt: 'tomorrow' }, undefined],
    ['given by both expires_in and expires_at', { expires_in: 60, expires_at: NOW + 5_000 }, NOW + 60_000],
  ])('is read if it is %s', (_, fields, expected) => {
    expect(expiryOf(fields)).toBe(expected)
  })

  it('is unknown for a refresh token if it is too large to be an instant', () => {
    expect(
      parse({ access_token: 'a', refresh_token_expires_in: 1.7e308 }).refreshTokenExpiresAt,
    ).toBeUndefined()
  })

  it.each([0, -1, '-60', 0.001, 0.999])(
    'is unknown if a fresh token is called expired, or nearly (%s)',
    (expires_in) => {
      expect(expiryOf({ expires_in })).toBeUndefined()
      expect(expiryOf({ expires_at: new Date(NOW + Number(expires_in) * 1_000) })).toBeUndefined()
    },
  )

  it.each([
    [0, NOW],
    [-1, NOW - 1_000],
  ])('is in the past if a token of unknown age is called expired (%s)', (expires_in, expected) => {
    expect(expiryOf({ expires_in }, false)).toBe(expected)
  })

  it('is the whole lifetime of a fresh JWT, counted from now, whatever the clock of the server', () => {
    for (const skew of [0, 86_400, -86_400]) {
      const token = jwt({ iat: SECONDS + skew, exp: SECONDS + skew + 300 })
      expect(parse({ access_token: token }).expiresAt).toBe(NOW + 300_000)
    }
  })

  it('is the remaining lifetime of a JWT of unknown age', () => {
    const token = jwt({ iat: SECONDS - 200, exp: SECONDS + 100 })
    expect(parse({ access_token: token }, false).expiresAt).toBe(NOW + 100_000)
    const ahead = jwt({ iat: SECONDS + 1_000, exp: SECONDS + 1_300 })
    expect(parse({ access_token: ahead }, false).expiresAt).toBe(NOW + 300_000)
  })

  it('is the exp claim of a JWT without iat', () => {
    expect(parse({ access_token: jwt({ exp: SECONDS + 300 }) }).expiresAt).toBe(NOW + 300_000)
    expect(parse({ access_token: jwt({ exp: 'x' }) }).expiresAt).toBeUndefined()
  })

  it('is taken from the response before the JWT', () => {
    expect(parse({ access_token: jwt({ iat: SECONDS, exp: SECONDS + 300 }), expires_in: 60 }).expiresAt).toBe(
      NOW + 60_000,
    )
  })
})

describe('earlier token fields after a refresh', () => {
  const previous = parse({
    access_token: 'at-1',
    refresh_token: 'rt-1',
    scope: 'read',
    id_token: jwt({ sub: 'ada', name: 'Ada' }),
    refresh_token_expires_in: 60,
  })

  it('are kept if omitted: refresh token, its expiry, scope, ID token, subject and claims', () => {
    expect(parse({ access_token: 'at-2' }, true, previous)).toEqual({
      ...previous,
      accessToken: 'at-2',
      expiresAt: undefined,
    })
    expect(parse({ access_token: 'at-2', refresh_token: '', scope: '' }, true, previous)).toMatchObject({
      refreshToken: 'rt-1',
      scope: 'read',
    })
  })

  it('are dropped if they describe another refresh token', () => {
    expect(parse({ access_token: 'at-2', refresh_token: 'rt-2' }, true, previous)).toMatchObject({
      refreshToken: 'rt-2',
      refreshTokenExpiresAt: undefined,
    })
  })

  it('are replaced if the refresh contains them', () => {
    expect(
      parse(
        {
          access_token: 'at-2',
          refresh_token: 'rt-2',
          scope: 'write',
          id_token: jwt({ sub: 'ada', name: 'Ada L.' }),
          refresh_token_expires_in: 90,
        },
        true,
        previous,
      ),
    ).toMatchObject({
      refreshToken: 'rt-2',
      scope: 'write',
      claims: { name: 'Ada L.' },
      refreshTokenExpiresAt: NOW + 90_000,
    })
  })
})

describe('the subject of the tokens', () => {
  const idToken = jwt({ sub: 'by id token' })
  const accessToken = jwt({ sub: 'by access token', role: 'admin' })

  it.each([
    ['the subject field', { subject: 'named', id_token: idToken, access_token: accessToken }, 'named'],
    ['the ID token', { id_token: idToken, access_token: accessToken }, 'by id token'],
    ['the access token', { access_token: accessToken }, 'by access token'],
    [
      'the access token if the ID token is invalid',
      { id_token: 'x.y', access_token: accessToken },
      'by access token',
    ],
    ['nothing if the tokens are opaque', { access_token: 'opaque' }, undefined],
    ['nothing if it is not a string', { access_token: jwt({ sub: 7 }), subject: 7 }, undefined],
  ])('is taken from %s', (_, response, subject) => {
    expect(parse(response).subject).toBe(subject)
  })

  it('may contain any Unicode text', () => {
    const claims = { sub: 'ada', name: 'Åda 愛 🔑', note: 'line\nbreak' }
    expect(parse({ access_token: 'a', id_token: jwt(claims) }).claims).toEqual(claims)
    expect(jwtClaims(jwt(claims))).toEqual(claims)
  })

  it('is not taken from a string that only looks like a JWT', () => {
    for (const token of ['', 'a', 'a.b', 'a..c', 'a.!!!.c', `a.${encode('text')}.c`, `a.${encode(null)}.c`]) {
      expect(jwtClaims(token), token).toBeUndefined()
    }
  })

  it('comes with claims that a reader cannot change', () => {
    expect(Object.isFrozen(parse({ access_token: accessToken }).claims)).toBe(true)
  })
})

describe('any value as a token response', () => {
  const names = [
    'access_token',
    'accessToken',
    'refresh_token',
    'refreshToken',
    'expires_in',
    'expiresIn',
    'expires_at',
    'expiresAt',
    'refresh_token_expires_in',
    'token_type',
    'tokenType',
    'scope',
    'id_token',
    'idToken',
    'subject',
  ]
  const value = fc.oneof(
    fc.anything({ withBigInt: true, withDate: true, withNullPrototype: true, withSparseArray: true }),
    fc.double(),
    fc.string({ unit: 'binary' }),
    fc.string({ unit: fc.constantFrom(...'abcXYZ019-._~+/=') }),
    fc.date({ noInvalidDate: false }),
    fc.jsonValue().map(jwt),
    fc
      .record({ iat: fc.double(), exp: fc.double(), sub: fc.string() }, { requiredKeys: [] })
      .map((claims) => jwt(claims)),
    fc.constantFrom('Bearer', 'bearer', null, undefined, Symbol('x')),
  )
  const response = fc.oneof(
    fc.anything(),
    fc.dictionary(fc.constantFrom(...names), value, { noNullPrototype: false }),
    fc
      .tuple(
        fc.string({ unit: fc.constantFrom(...'abc019-._'), minLength: 1 }),
        fc.dictionary(fc.constantFrom(...names), value),
      )
      .map(([access_token, rest]) => ({ ...rest, access_token })),
  )

  it('is accepted or rejected, and never yields a token that it does not contain', () => {
    fc.assert(
      fc.property(response, fc.boolean(), (given, fresh) => {
        let tokens: ReturnType<typeof parse>
        try {
          tokens = parse(given, fresh)
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidTokenResponseError)
          return
        }
        const fields = given as Record<string, unknown>
        expect([fields.access_token, fields.accessToken]).toContain(tokens.accessToken)
        expect(tokens.accessToken).toMatch(/^[\x21-\x7e]+$/)
        expect([fields.refresh_token, fields.refreshToken, undefined]).toContain(tokens.refreshToken)
        for (const at of [tokens.expiresAt, tokens.refreshTokenExpiresAt]) {
          if (at !== undefined) expect(Number.isFinite(at)).toBe(true)
        }
        if (fresh && tokens.expiresAt !== undefined) expect(tokens.expiresAt).toBeGreaterThan(NOW)
      }),
      { numRuns: 3_000 },
    )
  })
})
