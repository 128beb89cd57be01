import { describe, expect, it } from 'vitest'
import { readChallenge } from '../../src/core/requests/challenge.ts'
import fc from '../support/property.ts'

describe('readChallenge()', () => {
  it.each<[string, number, string | null, unknown]>([
    ['a 401 without a challenge', 401, null, 'refresh'],
    ['a 401 with an empty challenge', 401, '', 'refresh'],
    ['a bare Bearer challenge', 401, 'Bearer', 'refresh'],
    ['a Bearer challenge with a realm', 401, 'Bearer realm="example"', 'refresh'],
    ['invalid_token', 401, 'Bearer error="invalid_token", error_description="The token expired"', 'refresh'],
    ['invalid_token, unquoted', 401, 'Bearer error=invalid_token', 'refresh'],
    ['BEARER in capitals', 401, 'BEARER ERROR="invalid_token"', 'refresh'],
    ['a challenge of another scheme', 401, 'Basic realm="error=insufficient_scope"', 'refresh'],
    ['an error of another scheme', 401, 'Digest error="invalid_request"', 'refresh'],
    ['a DPoP challenge about the token', 401, 'DPoP error="invalid_token", algs="ES256"', 'refresh'],
    ['a DPoP challenge about the proof', 401, 'Bearer, DPoP error="use_dpop_nonce"', undefined],
    ['a DPoP challenge for more rights', 403, 'DPoP error="insufficient_scope", scope="x"', { scope: 'x' }],
    ['a Bearer challenge with another error', 401, 'Bearer error="invalid_request"', undefined],
    ...[
      ...['invalid token', 'Invalid Token', 'expired_token', 'Expired token', 'Bad token', 'revoked_token'],
      ...['token_expired', 'Token expired', 'jwt expired', 'Token maximum age exceeded'],
      ...['invalid signature', 'Invalid token signature'],
    ].map((error): [string, number, string, unknown] => [
      `the error of a server without RFC 6750: ${error}`,
      401,
      `Bearer error="${error}"`,
      'refresh',
    ]),
    ...[
      'invalid_client',
      'Missing authentication',
      'token',
      'no token expired here',
      'Invalid credentials',
    ].map((error): [string, number, string, unknown] => [
      `an error that no new token cures: ${error}`,
      401,
      `Bearer error="${error}"`,
      undefined,
    ]),
    ['a 403', 403, null, undefined],
    ['a 403 with invalid_token', 403, 'Bearer error="invalid_token"', undefined],
    ['a 400', 400, 'Bearer error="invalid_token"', undefined],
    ['a success', 200, null, undefined],
    [
      'insufficient_scope',
      403,
      'Bearer error="insufficient_scope", scope="read write"',
      { scope: 'read write' },
    ],
    ['insufficient_scope with a 401', 401, 'Bearer error="insufficient_scope"', {}],
    [
      'a demand for a stronger sign-in',
      401,
      'Bearer error="insufficient_user_authentication", acr_values="gold silver", max_age="5"',
      { acrValues: 'gold silver', maxAge: 5 },
    ],
    ['a max_age in words', 401, 'Bearer error="insufficient_user_authentication", max_age=soon', {}],
    [
      'the Bearer challenge among others',
      401,
      'Basic realm="a", Bearer realm="b, error=\\"no\\"", error="insufficient_scope", scope="x", Negotiate',
      { scope: 'x' },
    ],
    [
      'a value with escaped quotes',
      403,
      'Bearer error="insufficient_scope", scope="a\\"b\\\\c"',
      { scope: 'a"b\\c' },
    ],
    ['the first of two error parameters', 401, 'Bearer error="invalid_token", error="x"', 'refresh'],
    ['a parameter with spaces around the equals sign', 403, 'Bearer error = "insufficient_scope"', {}],
  ])('reads the challenge from %s', (_, status, header, expected) => {
    expect(readChallenge(status, header)).toEqual(expected)
  })

  it('returns a valid result for any header that a server may send', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'Bearer',
        'Basic',
        ' ',
        ',',
        '=',
        '"',
        '\\',
        'error',
        'invalid_token',
        'scope',
        'max_age',
      ),
      fc.string(),
    )
    fc.assert(
      fc.property(fc.constantFrom(401, 403), fc.array(piece), (status, pieces) => {
        const challenge = readChallenge(status, pieces.join(''))
        expect(challenge === undefined || challenge === 'refresh' || typeof challenge === 'object').toBe(true)
        if (status === 403) expect(challenge).not.toBe('refresh')
      }),
      { numRuns: 1_000 },
    )
  })
})
