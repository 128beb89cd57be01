import { describe, expect, it } from 'vitest'
import { safeReturnPath } from '../../src/bindings/guard.ts'
import fc from '../support/property.ts'

const HOME = 'https://app.example'

/** Escapes some characters, as a request's path may hold them. */
const escapeOnce = (text: string) =>
  [...text]
    .map((char) => (char > '~' ? char : `%${char.charCodeAt(0).toString(16).padStart(2, '0')}`))
    .join('')

/** Decodes each escape by itself, as lenient servers do. */
const decodeOnce = (path: string) => path.replace(/%[0-7][0-9a-f]/gi, decodeURIComponent)

/** Removes dot segments, as routers and proxies do. */
const normalize = (path: string) => {
  const { pathname, search, hash } = new URL(path, HOME)
  return pathname + search + hash
}

/** Some routers keep a path that they cannot decode. */
const attempt = (rewrite: (path: string) => string, path: string) => {
  try {
    return rewrite(path)
  } catch {
    return path
  }
}

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
    '/%252fevil.example%2f..',
    '/%2fevil.example%2f%2e%2e',
    '/a/%252e%252e/%2fevil.example',
    '/a%252f..%252f%252fevil.example',
    '/%25%32%66evil.example',
    '/%%32fevil.example',
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

  it('never leaves the origin, however often and in whichever way its escapes are decoded again', () => {
    const piece = fc.constantFrom(
      ...['/', '\\', '.', '..', '\t', '\n', '\r', '\u0000', ' ', ':', '@', '?', '#', '%', '%25', '%zz'],
      ...['https:', 'javascript:', 'evil.example', 'user@', 'a', '／', '。', '\u2028'],
    )
    /** A piece whose characters may be escaped, and whose escapes may be escaped again. */
    const escaped = fc
      .tuple(piece, fc.nat({ max: 7 }))
      .map(([text, levels]) => Array.from({ length: levels }).reduce<string>(escapeOnce, text))
    const path = fc.array(fc.oneof(piece, escaped), { maxLength: 8 }).map((pieces) => pieces.join(''))
    const page = fc.constantFrom('/', '/login?returnTo=x', '/a/b/', '/a//b#c').map((at) => HOME + at)
    const step = fc.constantFrom(decodeURI, decodeURIComponent, decodeOnce, normalize)
    let kept = 0
    const stays = (address: string, at: string, steps: ((path: string) => string)[]) => {
      const returned = safeReturnPath(address, '/fallback')
      if (returned !== '/fallback') kept++
      // A router decodes the whole address, or only its path.
      for (let form of [returned, returned.split(/[?#]/, 1)[0] as string]) {
        expect(new URL(form, at).origin).toBe(HOME)
        for (const [index, rewrite] of [...steps, ...steps].entries()) {
          form = attempt(rewrite, form)
          expect(new URL(form, at).origin, `${form}, after step ${index}`).toBe(HOME)
        }
      }
    }
    fc.assert(
      fc.property(
        fc.oneof(
          { weight: 8, arbitrary: path.map((rest) => `/${rest}`) },
          path,
          fc.webUrl(),
          fc.string({ unit: 'binary' }),
        ),
        page,
        fc.array(step, { minLength: 1, maxLength: 6 }),
        stays,
      ),
      { numRuns: 3_000 },
    )
    expect(kept).toBeGreaterThan(300)
  })

  it('decides about a long path with deep escapes in linear time', () => {
    const began = performance.now()
    expect(safeReturnPath(`/%${'25'.repeat(200_000)}2fevil.example`)).toBe('/')
    expect(safeReturnPath(`/${'%25'.repeat(100_000)}`)).toHaveLength(300_001)
    expect(performance.now() - began).toBeLessThan(2_000)
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
