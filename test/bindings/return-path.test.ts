import { describe, expect, it } from 'vitest'
import { safeReturnPath } from '../../src/bindings/guard.ts'
import fc from '../support/property.ts'

/** Resolves the address like a page at the app's own origin. */
const leadsTo = (address: string) => new URL(address, 'https://app.example/login?returnTo=x').origin

const HOME = 'https://app.example'

describe('safeReturnPath', () => {
  it.each([
    '/',
    '/settings',
    '/settings?tab=2&q=a%20b#top',
    '/search?q=https://evil.example//x',
    '/search?q=%0a%5c',
    '/a//b',
    '/files/a%2Fb.txt',
    '/caf%C3%A9',
    '/@me',
    '/a:b',
    '/100%25',
    '/50%2520off',
    '/a%20b',
    '/%7Bid%7D',
    '/.well-known/x',
    '/?%2f%2fevil.example',
    '/search?q=\\',
    '/%25/x',
    '/#/deep//route',
  ])('accepts %j', (path) => {
    expect(safeReturnPath(path)).toBe(path)
  })

  it.each([
    '//evil.example',
    '//evil.example/path',
    '///evil.example',
    '////evil.example',
    '/\\evil.example',
    '\\/evil.example',
    '\\\\evil.example',
    '/\\/evil.example',
    '/a\\b',
    'https://evil.example',
    'https:evil.example',
    'https:/evil.example',
    'HTTPS:\\\\evil.example',
    'http:///evil.example',
    'javascript:alert(1)',
    'java\nscript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'blob:https://app.example/x',
    '%2f%2fevil.example',
    '%2Fevil.example',
    '/%2fevil.example',
    '/%2Fevil.example',
    '/%5cevil.example',
    '/%5Cevil.example',
    '/%252fevil.example',
    '/%25252fevil.example',
    '/%255cevil.example',
    '/\t/evil.example',
    '/\n/evil.example',
    '/\r/evil.example',
    '\t//evil.example',
    ' //evil.example',
    ' /settings',
    '/%09/evil.example',
    '/%0a/evil.example',
    '/%0d%0aSet-Cookie:x=1',
    '/%00/evil.example',
    '/\u0000/evil.example',
    '/\u007f/evil.example',
    '/.//evil.example',
    '/..//evil.example',
    '/x/..//evil.example',
    '/%2e//evil.example',
    '/%2e%2e//evil.example',
    '/%2e%2e/%2fevil.example',
    '/%252e%252e//evil.example/',
    '//user@evil.example',
    '//evil.example:80',
    '//[::1]',
    '//',
    '/\\',
    '/%',
    '/%zz',
    '/%c0%af/evil.example',
    `/%${'25'.repeat(9)}2fevil.example`,
    'evil.example',
    'settings',
    './settings',
    '../settings',
    '?q',
    '#top',
    '.',
    '',
  ])('returns the fallback instead of %j', (path) => {
    expect(safeReturnPath(path)).toBe('/')
    expect(safeReturnPath(path, '/home')).toBe('/home')
  })

  it.each([undefined, null, 42, {}, ['/settings'], ['//evil.example'], () => '/x', Symbol('x')])(
    'returns the fallback for a value that is not a string',
    (value) => {
      expect(safeReturnPath(value)).toBe('/')
    },
  )

  it('never leaves the origin for random input, even if its escapes are decoded again', () => {
    const piece = fc.constantFrom(
      ...['/', '\\', '.', '..', '%2f', '%5c', '%252f', '%2e', '%09', '\t', '\n', ' ', ':', '@', '?', '#'],
      ...['https:', 'javascript:', 'evil.example', 'a', '／', '。', '\u2028', '%', '%25', '\u0000'],
    )
    const path = fc.array(piece, { maxLength: 12 }).map((pieces) => pieces.join(''))
    const undone = (text: string) => {
      try {
        return decodeURIComponent(text)
      } catch {
        return text
      }
    }
    let kept = 0
    fc.assert(
      fc.property(
        fc.oneof(
          path,
          path.map((rest) => `/${rest}`),
          fc.webUrl(),
          fc.string(),
        ),
        (address) => {
          const [before = ''] = safeReturnPath(address, '/fallback').split(/[?#]/, 1)
          if (before !== '/fallback') kept++
          for (let path = before, next = ''; next !== path; path = next) {
            expect(leadsTo(path)).toBe(HOME)
            next = undone(path)
            expect(leadsTo(next)).toBe(HOME)
            if (next === path) break
          }
        },
      ),
      { numRuns: 5_000 },
    )
    expect(kept).toBeGreaterThan(100)
  })

  it('is idempotent', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const once = safeReturnPath(`/${text}`)
        expect(safeReturnPath(once)).toBe(once)
      }),
    )
  })
})
