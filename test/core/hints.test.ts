import axios from 'axios'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { AuthEventMap } from '../../src/core/auth.ts'
import { sessionLimits } from '../../src/core/features/session-limits.ts'
import { EVENTS, forgetHints } from '../../src/core/platform/hints.ts'
import type { SessionStorage } from '../../src/core/ports.ts'
import { attachAuth } from '../../src/transports/axios.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'
import { createHarness, refused, SECRET, tokens } from './auth-setup.ts'

/** What a developer reads on the console. */
function watchConsole() {
  forgetHints()
  const lines: string[] = []
  for (const level of ['info', 'warn'] as const)
    vi.spyOn(console, level).mockImplementation((text) => void lines.push(text))
  return lines
}

let lines: string[]
beforeEach(() => {
  lines = watchConsole()
})

const API = 'https://api.example.com'

describe('a request without a token', () => {
  const send = async (input: string | Request, init?: RequestInit, { signedOut = false } = {}) => {
    const { auth } = createHarness({ signedOut })
    const api = createAuthFetch(auth, {
      origins: [API],
      exclude: (url) => url.endsWith('/public'),
      fetch: async () => new Response('{}'),
    })
    await auth.ready()
    lines.length = 0
    await api(input, init)
    await api(input instanceof Request ? input.url : input, init)
  }

  it.each([
    [
      'its origin is not listed',
      'https://other.example.com/me?token=SECRET',
      undefined,
      "GET https://other.example.com/me was sent without a token: its origin is not listed. To send tokens there, add origins: ['https://other.example.com'].",
    ],
    [
      'it goes over plain http',
      'http://api.example.com/me',
      { method: 'put' },
      'PUT http://api.example.com/me was sent without a token: it goes over plain http, where anyone on the way can read a token. Use https. In a network that you trust: allowInsecure: true.',
    ],
    [
      'it has a header of its own',
      `${API}/me`,
      { headers: { authorization: `Basic ${SECRET}` } },
      `GET ${API}/me was sent without a token: it has an Authorization header of its own. Remove that header if the session should authorize the request.`,
    ],
    [
      'exclude names it',
      `${API}/public`,
      undefined,
      `GET ${API}/public was sent without a token: the option exclude names it.`,
    ],
  ])('is explained once if %s', async (_, url, init, text) => {
    await send(url, init)
    expect(lines).toEqual([`authchart: ${text}`])
    expect(lines.join()).not.toContain(SECRET)
  })

  it('is explained once if no user is signed in', async () => {
    await send(`${API}/me?q=${SECRET}`, undefined, { signedOut: true })
    expect(lines).toEqual([`authchart: GET ${API}/me was sent without a token: no user is signed in.`])
  })

  it('is explained if it is a Request', async () => {
    await send(new Request('https://else.example.com/me', { method: 'DELETE' }))
    expect(lines).toEqual([expect.stringContaining('DELETE https://else.example.com/me was sent without')])
  })

  it('is no news if the token is sent', async () => {
    await send(`${API}/me`)
    expect(lines).toEqual([])
  })
})

describe('a token response', () => {
  it('without a lifetime is explained once', async () => {
    const { auth } = createHarness({ signedOut: true })
    await auth.setTokens({ access_token: SECRET })
    await auth.setTokens({ access_token: SECRET })
    expect(lines).toEqual([
      'authchart: No lifetime was found in the token response: it has no expires_in and no expires_at, and its access token is not a JWT with exp. The token is used until the server answers 401. Answer expires_in, in seconds (RFC 6749 §5.1).',
    ])
  })

  it.each([
    ['expiresIn', '15m'],
    ['expires_in', {}],
  ])('with a lifetime in words is explained: %s %o', async (field, value) => {
    const { auth } = createHarness({ signedOut: true })
    await auth.setTokens({ access_token: SECRET, [field]: value } as object as { access_token: string })
    expect(lines).toEqual([
      `authchart: The lifetime in the token response cannot be used: ${field} must be a number of seconds, such as 900. The token is used until the server answers 401.`,
    ])
  })

  it('with a lifetime that cannot be read is accepted as one without', async () => {
    const { auth } = createHarness({ signedOut: true })
    const tokens = { access_token: SECRET, expires_in: Object.create(null) as number }
    await expect(auth.setTokens(tokens)).resolves.toMatchObject({ generation: 1 })
  })

  it('with a lifetime, or a JWT that has one, is no news', async () => {
    const { auth } = createHarness({ signedOut: true })
    const jwt = `e30.${btoa(JSON.stringify({ exp: 2_000_000_000 }))}.x`
    for (const answer of [{ access_token: 'a', expires_in: 60 }, { accessToken: jwt }])
      await auth.setTokens(answer)
    expect(lines).toEqual([])
  })

  it.each(['data', 'result', 'tokens'])(
    'that waits under %s is refused, and the field is named',
    async (name) => {
      const { auth } = createHarness({ signedOut: true })
      const answer = { [name]: { access_token: SECRET } }
      await expect(auth.setTokens(answer as never)).rejects.toThrow('it has no access_token')
      expect(lines).toEqual([
        `authchart: The token response has no access_token, but its field ${name} has one. Return that field: (await response.json()).${name}.`,
      ])
    },
  )

  it('with tokens of one letter garbles no message', async () => {
    const { auth, clock, refresh } = createHarness({
      initialTokens: { access_token: 'e', refresh_token: 'a' },
    })
    const refreshed = auth.refresh().catch((error) => error)
    await clock.advance(0)
    refresh.call().reject(refused())
    const error = await refreshed
    expect(error.message).toBe('The session has expired (invalid_grant). Sign in again.')
    expect(error.cause.message).toBe('The token endpoint answered 400')
  })
})

describe('a first refresh that is refused', () => {
  const refuse = async (initialTokens: object, refreshes = 0) => {
    const { auth, clock, refresh } = createHarness({ initialTokens })
    for (let n = 0; n <= refreshes; n++) {
      const refreshed = auth.refresh().catch(() => {})
      await clock.advance(0)
      if (n < refreshes) refresh.call().resolve({ access_token: 'b', expires_in: 600 })
      else refresh.call().reject({ status: 401 })
      await refreshed
    }
  }

  it('without a refresh token points to the cookie and to credentials', async () => {
    await refuse({ access_token: 'a', expires_in: 600 })
    expect(lines).toEqual([
      "authchart: The first refresh of this session was refused, and it had no refresh token to send. If the server keeps it in a cookie: send it with credentials: 'include' to another origin, and check Path, SameSite and Secure of the cookie. If not: answer a refresh_token at the sign-in (scope offline_access at many providers).",
    ])
  })

  it('with a refresh token, or after another refresh, is no news', async () => {
    await refuse(tokens(1))
    await refuse({ access_token: 'a', expires_in: 600 }, 1)
    expect(lines).toEqual([])
  })
})

describe('a store that cannot be written', () => {
  const full: SessionStorage = {
    read: () => undefined,
    write() {
      throw new DOMException(SECRET, 'QuotaExceededError')
    },
    clear() {},
  }
  const LOST =
    "authchart: The store of the session failed (QuotaExceededError), and no listener for storageFailed exists. The session goes on in memory, and is lost with this page or process. Add auth.on('storageFailed', …), and check what the store allows."

  it('is explained if no listener reports it', async () => {
    const { clock } = createHarness({ storage: full, signedOut: true })
    expect(clock).toBeDefined()
    const { createAuth, defineStorage } = await import('../../src/index.ts')
    using auth = createAuth({
      refresh: () => tokens(2),
      initialTokens: tokens(1),
      storage: defineStorage(full),
    })
    await auth.ready()
    await vi.waitFor(() => expect(lines).toEqual([LOST]))
  })

  it.each(['storageFailed', '*'] as const)('is left to a listener for %s', async (type) => {
    const { createAuth, defineStorage } = await import('../../src/index.ts')
    using auth = createAuth({
      refresh: () => tokens(2),
      initialTokens: tokens(1),
      storage: defineStorage(full),
    })
    const failed = new Promise((resolve) => auth.on(type, resolve))
    await failed
    await auth.ready()
    expect(lines).toEqual([])
  })
})

describe('a TypeError', () => {
  const failWith = async (error: unknown) => {
    const { auth, clock, refresh, last } = createHarness()
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    refresh.call().reject(error)
    await clock.advance(0)
    return last('refreshFailed')?.reason
  }
  const own = () => {
    try {
      return (undefined as never as { token: string }).token
    } catch (error) {
      return error
    }
  }

  it('of the refresh function is reported as such, with its place, and not as a failure of the network', async () => {
    expect(await failWith(own())).toBe('refresh_failed')
    expect(lines).toEqual([
      expect.stringMatching(
        /^authchart: The refresh function threw a TypeError of its own, at \S+hints\.test\.ts:\d+:\d+\. It is not a failure of the network: correct the function\.$/,
      ),
    ])
  })

  it.each([
    "Cannot read properties of null (reading 'x')",
    'answer.json is not a function',
    'undefined is not an object (evaluating answer.token)',
    'tokens is not iterable',
    'Failed to parse URL from /token',
    'Invalid URL',
  ])('of code is not taken for the network: %s', async (text) => {
    expect(await failWith(new TypeError(text))).toBe('refresh_failed')
  })

  it.each([
    'Failed to fetch',
    'Load failed',
    'fetch failed',
    'terminated',
    'Network request failed',
    'NetworkError when attempting to fetch resource.',
  ])('of a network is still one: %s', async (text) => {
    expect(await failWith(new TypeError(text))).toBe('network')
    expect(lines).toEqual([])
  })
})

describe('a name that does not exist', () => {
  it.each([
    [{ stroage: 1 }, 'createAuth has no option stroage. Did you mean storage?'],
    [{ refreshAhaed: 1 }, 'createAuth has no option refreshAhaed. Did you mean refreshAhead?'],
    [{ timeouts: { signin: 5 } }, 'createAuth: timeouts has no option signin. Did you mean signIn?'],
    [{ retry: { attempt: 2 } }, 'createAuth: retry has no option attempt. Did you mean attempts?'],
    [{ release: { many: 2 } }, 'createAuth: release has no option many. Known are: concurrency.'],
  ])('is named with the nearest option: %o', (options, text) => {
    createHarness(options as object)
    expect(lines).toContain(`authchart: ${text}`)
  })

  it('is named for a transport', () => {
    const { auth } = createHarness()
    createAuthFetch(auth, { origins: [API], orgins: [API] } as object)
    expect(lines).toEqual(['authchart: createAuthFetch has no option orgins. Did you mean origins?'])
  })

  it('is named for limits', () => {
    sessionLimits({ idleTimeout: 900_000 } as object)
    expect(lines).toEqual(['authchart: sessionLimits has no option idleTimeout. Known are: idle, absolute.'])
  })

  it.each([[undefined], [null], [5], [{}], [Symbol('storageFailed')]])(
    'throws nothing if an event has another type: %s',
    (type) => {
      const { auth } = createHarness()
      expect(() => auth.on(type as never, () => {})).not.toThrow()
      expect(lines).toHaveLength(1)
    },
  )

  it('is named for an event', () => {
    const { auth } = createHarness()
    auth.on('signedout' as 'signedOut', () => {})
    auth.on('sessionExpired' as 'expired', () => {})
    expect(lines).toEqual([
      "authchart: auth.on() knows no event 'signedout'. Did you mean signedOut?",
      expect.stringMatching(/knows no event 'sessionExpired'\. Known are: signedIn, .*transition, \*\.$/),
    ])
  })

  it('is compared with every event there is', () => {
    const all: Record<keyof AuthEventMap, true> = {
      '*': true,
      discarded: true,
      expired: true,
      refreshFailed: true,
      refreshed: true,
      requestHeld: true,
      requestRejected: true,
      requestReplayed: true,
      revocationFailed: true,
      signedIn: true,
      signedOut: true,
      stepUpRequired: true,
      storageFailed: true,
      transition: true,
    }
    expect([...EVENTS].sort()).toEqual(Object.keys(all).sort())
  })
})

describe('an argument of the wrong kind', () => {
  it('is named if a client and the session change places', () => {
    const { auth } = createHarness()
    const client = axios.create({ baseURL: API })
    expect(() => attachAuth(auth as never, client as never)).toThrow('auth must be what createAuth()')
  })

  it.each([[undefined], [null], ['secret'], [{}]])('is named if it is given as the session: %j', (auth) => {
    const origins = [API]
    const client = axios.create({ baseURL: API })
    for (const create of [
      () => createAuthFetch(auth as never, { origins }),
      () => createAuthOfetch(auth as never, { origins }),
      () => attachAuth(client, auth as never),
    ])
      expect(create).toThrow(
        new TypeError(
          'auth must be what createAuth() or connectAuth() of this version of authchart returned. Use one version of the package in all bundles of a page.',
        ),
      )
  })

  it('is named if origins are not a list', () => {
    const { auth } = createHarness()
    expect(() => createAuthFetch(auth, { origins: API } as object)).toThrow()
    expect(lines).toEqual([
      "authchart: createAuthFetch: origins must be a list, such as ['https://api.example.com'].",
    ])
  })
})
