import { describe, expect, it } from 'vitest'
import { readChallenge } from '../../src/core/challenge.ts'
import fc from '../support/property.ts'

describe('what a refusal asks for', () => {
  it.each<[string, number, string | null, unknown]>([
    ['a 401 without a challenge', 401, null, 'renew'],
    ['a 401 with an empty one', 401, '', 'renew'],
    ['a bare Bearer challenge', 401, 'Bearer', 'renew'],
    ['a Bearer challenge with a realm', 401, 'Bearer realm="example"', 'renew'],
    ['invalid_token', 401, 'Bearer error="invalid_token", error_description="The token expired"', 'renew'],
    ['invalid_token, unquoted', 401, 'Bearer error=invalid_token', 'renew'],
    ['BEARER in capitals', 401, 'BEARER ERROR="invalid_token"', 'renew'],
    ['another scheme', 401, 'Basic realm="error=insufficient_scope"', 'renew'],
    ["another scheme's error", 401, 'DPoP error="invalid_dpop_proof"', 'renew'],
    ['an error of its own', 401, 'Bearer error="invalid_request"', undefined],
    ['a 403', 403, null, undefined],
    ['a 403 with invalid_token', 403, 'Bearer error="invalid_token"', undefined],
    ['another status', 400, 'Bearer error="invalid_token"', undefined],
    ['a success', 200, null, undefined],
    [
      'insufficient_scope',
      403,
      'Bearer error="insufficient_scope", scope="read write"',
      { scope: 'read write' },
    ],
    ['insufficient_scope by a 401', 401, 'Bearer error="insufficient_scope"', {}],
    [
      'a stronger sign-in',
      401,
      'Bearer error="insufficient_user_authentication", acr_values="gold silver", max_age="5"',
      { acrValues: 'gold silver', maxAge: 5 },
    ],
    ['a max_age that is no number', 401, 'Bearer error="insufficient_user_authentication", max_age=soon', {}],
    [
      'the Bearer challenge among others',
      401,
      'Basic realm="a", Bearer realm="b, error=\\"no\\"", error="insufficient_scope", scope="x", Negotiate',
      { scope: 'x' },
    ],
    [
      'quotes inside quotes',
      403,
      'Bearer error="insufficient_scope", scope="a\\"b\\\\c"',
      { scope: 'a"b\\c' },
    ],
    ['the first of what is said twice', 401, 'Bearer error="invalid_token", error="x"', 'renew'],
    ['spaces around the equals sign', 403, 'Bearer error = "insufficient_scope"', {}],
  ])('is read from %s', (_, status, header, expected) => {
    expect(readChallenge(status, header)).toEqual(expected)
  })

  it('is read from whatever a server sends', () => {
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
        expect(challenge === undefined || challenge === 'renew' || typeof challenge === 'object').toBe(true)
        if (status === 403) expect(challenge).not.toBe('renew')
      }),
      { numRuns: 1_000 },
    )
  })
})
