import axios from 'axios'
import { afterEach, describe, expect, test } from 'vitest'
import { createAuth } from '../../src/index.ts'
import { attachAuth } from '../../src/transports/axios.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'
import { createTargetGuard, originOf } from '../../src/transports/origins.ts'

const auth = createAuth({ refresh: () => Promise.reject(new Error('not asked in these tests')) })
auth.dispose()

afterEach(() => {
  Reflect.deleteProperty(globalThis, 'location')
  Reflect.deleteProperty(globalThis, 'document')
})

/** Whether a URL gets the token. */
const createOriginGuard = (...rule: Parameters<typeof createTargetGuard>) => {
  const targetOf = createTargetGuard(...rule)
  return (url: string) => targetOf(url) !== undefined
}

const page = (href: string) => Object.assign(globalThis, { location: { href } })

describe('createTargetGuard, as a question', () => {
  const guard = createOriginGuard('a transport', {
    origins: ['https://api.example.com', new URL('https://other.example:8443/v1')],
  })

  test.each([
    'https://api.example.com',
    'https://api.example.com/',
    'https://api.example.com/me?x#y',
    'https://api.example.com?x',
    'https://api.example.com#y',
    'https://api.example.com:443/me',
    'https://API.example.com/me',
    'HTTPS://api.example.com/me',
    ' https://api.example.com/me',
    'https:\\\\api.example.com\\me',
    'https://api.example.com\\@evil.example/',
    'https://other.example:8443/anything',
    'https://user:pass@api.example.com/me',
  ])('the guard allows %j', (url) => {
    expect(guard(url)).toBe(true)
  })

  test.each([
    'http://api.example.com/',
    'https://api.example.com:8443/',
    'https://other.example/',
    'https://api.example.com.evil.example/',
    'https://api.example.com@evil.example/',
    'https://api.example.com:pw@evil.example/',
    'https://api.example.com%2f@evil.example/',
    'https://evil.example/https://api.example.com/',
    'https://evil.example\\@api.example.com/',
    'https://evil.example#@api.example.com/',
    'https://evil.example?https://api.example.com/',
    'https:\\\\evil.example/',
    'https://sub.api.example.com/',
    'https://example.com/',
    'https://api.example.com./',
    'https://apiexample.com/',
    'https://api.example.co\tm.evil.example/',
    '//api.example.com/',
    '/me',
    'me',
    '',
    'data:text/plain,https://api.example.com/',
    'blob:https://api.example.com/1f1b6a3e-9d3c-4b8e-8a43-5b1f3d5a0c11',
    'javascript:fetch("https://api.example.com/")',
    'ftp://api.example.com/',
    'https://',
    'not a url',
  ])('the guard refuses %j', (url) => {
    expect(guard(url)).toBe(false)
  })

  test.each([
    'http://api.example.com/',
    'http://10.0.0.1/',
    'http://192.168.0.1/',
    'http://127.0.0.1.example.com/',
  ])('the guard refuses %s, plain http over a network, even if it is named', (url) => {
    expect(createOriginGuard('a transport', { origins: [url] })(url)).toBe(false)
    expect(createOriginGuard('a transport', {}, url)(url)).toBe(false)
    expect(createOriginGuard('a transport', { origins: [url], allowInsecure: true })(url)).toBe(true)
  })

  test.each([
    'http://localhost/',
    'http://localhost:3000/',
    'http://app.localhost:3000/',
    'http://127.0.0.1:3000/',
    'http://127.1.2.3/',
    'http://2130706433:3000/',
    'http://[::1]:3000/',
  ])('the guard allows %s, which is this machine', (url) => {
    expect(createOriginGuard('a transport', { origins: [url] })(url)).toBe(true)
  })

  test('the guard refuses a host that only looks like localhost', () => {
    for (const url of ['http://localhost.example.com/', 'http://notlocalhost/', 'http://[::2]/']) {
      expect(createOriginGuard('a transport', { origins: [url] })(url), url).toBe(false)
    }
  })
})

describe('the page', () => {
  test('the page’s own origin gets the token, also for relative URLs', () => {
    page('https://app.example.com/some/page?q')
    const guard = createOriginGuard('a transport', { origins: ['https://api.example.com'] })

    for (const url of ['/me', 'me', '?q', '', '//app.example.com/me', '\\\\app.example.com\\me']) {
      expect(guard(url), url).toBe(true)
    }
    for (const url of ['//evil.example/me', '/\\evil.example/me', '\\\\evil.example', '\t//evil.example']) {
      expect(guard(url), url).toBe(false)
    }
    expect(guard('https://api.example.com/me')).toBe(true)
  })

  test('the origin of a base element is not the page’s own, whenever the element comes', () => {
    page('https://app.example.com/some/page')
    const base = (baseURI: string) => Object.assign(globalThis, { document: { baseURI } })
    base('https://evil.example/')
    const early = createTargetGuard('a transport', {}, '/api')
    base('https://app.example.com/deep/')
    const late = createTargetGuard('a transport', {}, '/api')

    expect(late('me')).toBe('https://app.example.com/deep/me')
    for (const baseURI of ['https://evil.example/', 'http://app.example.com/', 'data:text/plain,']) {
      base(baseURI)
      for (const guard of [early, late]) {
        for (const url of ['/me', 'me', '', '?q', 'https://evil.example/me'])
          expect(guard(url), `${url} with ${baseURI}`).toBeUndefined()
        expect(guard('https://app.example.com/me')).toBe('https://app.example.com/me')
      }
    }
  })

  test.each(['about:blank', 'file:///home/me/index.html', 'blob:https://app.example.com/1'])(
    'a page at %s has no origin to send tokens to',
    (href) => {
      page(href)

      expect(() => createOriginGuard('a transport', {})).toThrow(TypeError)
    },
  )

  test('originOf resolves relative URLs as the page does', () => {
    expect(originOf('/me')).toBeUndefined()
    page('https://app.example.com/some/page')
    expect(originOf('/me')).toBe('https://app.example.com')
    expect(originOf('https://api.example.com/me')).toBe('https://api.example.com')
  })
})

describe('creating a transport without an origin', () => {
  test.each([
    ['createAuthFetch', () => createAuthFetch(auth)],
    ['createAuthOfetch', () => createAuthOfetch(auth, { defaults: { headers: {} } })],
    ['attachAuth', () => attachAuth(axios.create(), auth)],
  ])('%s throws a TypeError that says which option to set', (name, make) => {
    expect(make).toThrow(TypeError)
    expect(make).toThrow(new RegExp(`^${name} .*Set origins: \\['https://api\\.example\\.com'\\]`))
  })

  test.each([
    ['createAuthFetch', () => createAuthFetch(auth, { origins: ['api.example.com'] })],
    ['createAuthFetch', () => createAuthFetch(auth, { origins: ['/api'] })],
    ['createAuthFetch', () => createAuthFetch(auth, { origins: ['ftp://api.example.com'] })],
    ['createAuthOfetch', () => createAuthOfetch(auth, { origins: ['*'] })],
    ['attachAuth', () => attachAuth(axios.create(), auth, { origins: ['localhost:3000'] })],
  ])('%s throws a TypeError that names an origin it cannot read', (name, make) => {
    expect(make).toThrow(TypeError)
    expect(make).toThrow(new RegExp(`^${name}: .* is not the URL of an http or https origin`))
  })

  test('a base URL is enough for ofetch and axios', () => {
    expect(() => createAuthOfetch(auth, { defaults: { baseURL: 'https://api.example.com' } })).not.toThrow()
    expect(() => attachAuth(axios.create({ baseURL: 'https://api.example.com' }), auth)).not.toThrow()
  })
})
