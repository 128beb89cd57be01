import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { ID_TOKEN } from '../../src/core/auth.ts'
import type { SignedIn } from '../../src/oauth2/logout.ts'
import { createBff } from '../../src/server/bff/bff.ts'
import type { Bff, BffLogout, BffOptions, SignInTransactions } from '../../src/server/bff/types.ts'
import { fleetMemory } from '../../src/server/fleet-memory.ts'
import { hashKey } from '../../src/server/hash-key.ts'
import { createWorld, quiet, type SignIn } from './fleet-setup.ts'

const APP = 'https://app.test'
const PAGE = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'x-csrf': '1' }
const VISIT = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }

/** A browser: keeps cookies by name, and sends those of a path. */
function browser(handle: (request: Request) => Promise<Response | undefined>) {
  const cookies = new Map<string, { value: string; path: string; line: string }>()
  async function send(
    path: string,
    init: RequestInit = {},
    from: Record<string, string> = PAGE,
  ): Promise<Response> {
    const sent = [...cookies].filter(([, cookie]) => path.startsWith(cookie.path))
    const headers = new Headers(init.headers)
    for (const [name, value] of Object.entries(from)) headers.set(name, value)
    if (sent.length > 0) headers.set('cookie', sent.map(([name, { value }]) => `${name}=${value}`).join('; '))
    const answer =
      (await handle(new Request(APP + path, { ...init, headers }))) ?? new Response(null, { status: 404 })
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      const cookiePath = /; Path=([^;]+)/.exec(line)?.[1] ?? '/'
      if (/; Max-Age=0/.test(line)) cookies.delete(name)
      else cookies.set(name, { value, path: cookiePath, line })
    }
    return answer
  }
  return { cookies, send, session: () => cookies.get('__Host-session')?.value }
}

/** An OAuth client that remembers a verifier for each state, as a real one does. */
function fakeOAuth(server: ReturnType<typeof createWorld>['server']) {
  let count = 0
  const used = new Set<string>()
  return {
    async authorizationUrl({
      returnTo,
      transactions,
      ...more
    }: { returnTo?: string; transactions: SignInTransactions } & Record<string, unknown>) {
      const state = `state-${++count}-0123456789`
      await transactions.write(
        `authchart.oauth2.${state}`,
        JSON.stringify({ verifier: `v${count}`, returnTo }),
      )
      const url = new URL('https://id.test/authorize')
      url.searchParams.set('state', state)
      for (const [name, value] of Object.entries(more)) url.searchParams.set(name, String(value))
      return url
    },
    signOutUrl: async () => new URL('https://id.test/end'),
    signIn: async ({ url, transactions }: { url: string; transactions: SignInTransactions }) => {
      const { searchParams } = new URL(url)
      const state = searchParams.get('state') ?? ''
      const text = await transactions.read(`authchart.oauth2.${state}`)
      const fail = (code: string) =>
        Object.assign(new Error(code), { code, [Symbol.for('authchart.error')]: true })
      if (typeof text !== 'string') throw fail('unknown_state')
      if (used.has(state)) throw fail('already_used')
      used.add(state)
      return server.issue(searchParams.get('code') ?? 'ada')
    },
  }
}

function setUp(
  given: Partial<BffOptions<never, unknown>> = {},
  options: Parameters<typeof createWorld>[0] = {},
) {
  const world = createWorld({ jwt: true, ...options })
  const { server } = world
  const oauth = fakeOAuth(server)
  const pool = world.pool({ signIn: oauth.signIn as never })
  vi.stubGlobal('fetch', server.fetch)
  onTestFinished(() => void vi.unstubAllGlobals())
  const make = (made = pool) =>
    createBff({
      pool: made as never,
      oauth,
      apis: { '/api': { to: `${server.origin}/api` } },
      ...given,
    } as unknown as BffOptions<never, unknown>)
  const bff = make()
  /** The backend of another process. */
  const another = () => make(world.pool({ signIn: oauth.signIn as never }))
  const visitor = browser(bff.handle.bind(bff))

  /** Signs in as a browser does: away to the server, and back. */
  async function signIn(user = 'ada', { send } = visitor, returnTo = '/inbox'): Promise<Response> {
    const away = await send(`/auth/sign-in?returnTo=${encodeURIComponent(returnTo)}`, {}, VISIT)
    const state = new URL(away.headers.get('location') ?? '').searchParams.get('state')
    return send(
      `/auth/callback?code=${user}&state=${state}`,
      {},
      { ...VISIT, 'sec-fetch-site': 'cross-site' },
    )
  }
  return { ...world, pool, bff, another, visitor, signIn }
}

describe('signing in by redirect', () => {
  it('the user comes back to the page that they wanted, with a cookie that no script reads', async () => {
    const { visitor, signIn } = setUp()
    const back = await signIn()
    expect(back.status).toBe(303)
    expect(back.headers.get('location')).toBe('/inbox')
    const line = visitor.cookies.get('__Host-session')?.line ?? ''
    expect(line).toMatch(/^__Host-session=[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    const shown = await (await visitor.send('/auth/session')).json()
    expect(shown).toMatchObject({ signedIn: true, subject: 'ada' })
  })

  it('the facts of a session contain no token', async () => {
    const { visitor, signIn, pool } = setUp()
    await signIn()
    const answer = await visitor.send('/auth/session')
    const text = await answer.text()
    const token = await pool.use(visitor.session() ?? '', (auth) => auth.getAccessToken())
    expect(text).not.toContain(token)
    expect(text).not.toMatch(/rt-/)
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  it('each sign-in gets a new cookie, and the session of the old one ends', async () => {
    const { visitor, signIn, bff } = setUp()
    await signIn()
    const before = visitor.session()
    await signIn()
    expect(visitor.session()).not.toBe(before)
    expect(
      await bff.session({ headers: new Headers({ cookie: `__Host-session=${before}` }) }),
    ).toBeUndefined()
  })

  it('a cookie that an attacker has planted is not the one that the user is signed in by', async () => {
    const { visitor, signIn, bff } = setUp()
    const planted = 'A'.repeat(43)
    visitor.cookies.set('__Host-session', { value: planted, path: '/', line: '' })
    await signIn()
    expect(visitor.session()).not.toBe(planted)
    expect(
      await bff.session({ headers: new Headers({ cookie: `__Host-session=${planted}` }) }),
    ).toBeUndefined()
  })

  it.each(['\u00a0', '\ufeff', '\u2000', '\u000b', '\u0085'])(
    'a cookie whose name only begins like ours after a space that browsers do not remove is another one: %j',
    async (space) => {
      const { bff, visitor, signIn } = setUp()
      await signIn()
      const attacker = browser(bff.handle.bind(bff))
      await signIn('eve', attacker)
      // What another host of the domain can make a browser send.
      const cookie = `${space}__Host-session=${attacker.session()}; __Host-session =${attacker.session()}; __Host-session=${visitor.session()}`
      const subjectOf = async (text: string) => (await bff.session({ headers: { get: () => text } }))?.subject
      expect(await subjectOf(cookie)).toBe('ada')
      expect(await subjectOf(`${space}__Host-session=${attacker.session()}`)).toBeUndefined()
      expect(await subjectOf(`a=b;\t __Host-session=${visitor.session()}`)).toBe('ada')
    },
  )

  it('a callback that was started in another browser is refused', async () => {
    const { bff, visitor, signIn } = setUp()
    const attacker = browser(bff.handle.bind(bff))
    const away = await attacker.send('/auth/sign-in', {}, VISIT)
    const state = new URL(away.headers.get('location') ?? '').searchParams.get('state')
    const answer = await visitor.send(`/auth/callback?code=eve&state=${state}`, {}, VISIT)
    expect(answer.status).toBe(400)
    expect(await answer.text()).toContain('unknown_state')
    expect(visitor.session()).toBeUndefined()
    expect((await signIn('ada')).status).toBe(303)
  })

  it('a callback of another browser is refused without a look at its code, also while the first one is redeemed', async () => {
    const errors: unknown[] = []
    const world = createWorld({ jwt: true })
    const redeemed: string[] = []
    let finish = () => {}
    const untilFinished = new Promise<void>((resolve) => {
      finish = resolve
    })
    const pool = world.pool({
      signIn: (async ({ url }: { url: string }) => {
        redeemed.push(url)
        await untilFinished
        return world.server.issue('ada')
      }) as never,
    })
    const bff = createBff({
      pool: pool as never,
      oauth: fakeOAuth(world.server),
      onSignInFailed: (error: unknown) => {
        errors.push(error)
        return new Response(null, { status: 400 })
      },
    } as unknown as BffOptions<never, unknown>)
    const [first, other] = [browser(bff.handle.bind(bff)), browser(bff.handle.bind(bff))]
    const away = await first.send('/auth/sign-in', {}, VISIT)
    const state = new URL(away.headers.get('location') ?? '').searchParams.get('state')
    const callback = `/auth/callback?code=ada&state=${state}`
    const signingIn = first.send(callback, {}, VISIT)
    await vi.waitFor(() => expect(redeemed).toHaveLength(1))
    const refused = await other.send(callback, {}, VISIT)
    finish()
    expect(refused.status).toBe(400)
    expect(errors).toMatchObject([{ code: 'oauth_failed', reason: 'unknown_state' }])
    expect(other.session()).toBeUndefined()
    expect((await signingIn).status).toBe(303)
    expect(first.session()).toBeDefined()
    expect(redeemed).toHaveLength(1)
  })

  it('a reload of the callback leads to the page again, and ends nothing', async () => {
    const { visitor } = setUp()
    const away = await visitor.send('/auth/sign-in?returnTo=/inbox', {}, VISIT)
    const state = new URL(away.headers.get('location') ?? '').searchParams.get('state')
    const callback = `/auth/callback?code=ada&state=${state}`
    await visitor.send(callback, {}, VISIT)
    const key = visitor.session()
    const again = await visitor.send(callback, {}, VISIT)
    expect(again.status).toBe(303)
    expect(again.headers.get('location')).toBe('/inbox')
    expect(visitor.session()).toBe(key)
    expect((await visitor.send('/auth/session')).status).toBe(200)
  })

  it('sign-ins in several tabs do not disturb each other, and a browser keeps at most five', async () => {
    const { clock, visitor } = setUp()
    const states: string[] = []
    for (let tab = 0; tab < 7; tab++) {
      const away = await visitor.send('/auth/sign-in', {}, VISIT)
      states.push(new URL(away.headers.get('location') ?? '').searchParams.get('state') ?? '')
      await clock.advance(1)
    }
    const pending = [...visitor.cookies].filter(([name]) => name.includes('sign-in'))
    expect(pending).toHaveLength(5)
    for (const [name, { line }] of pending) {
      expect(name).toMatch(/^__Host-sign-in-/)
      expect(line).toMatch(/; Path=\/; Max-Age=600; HttpOnly; Secure; SameSite=Lax$/)
      expect(line).not.toContain('verifier')
      expect(
        Buffer.from(visitor.cookies.get(name)?.value ?? '', 'base64url').toString('latin1'),
      ).not.toContain('v7')
    }
    const answers = []
    for (const state of states)
      answers.push(await visitor.send(`/auth/callback?code=ada&state=${state}`, {}, VISIT))
    expect(answers.map(({ status }) => status)).toEqual([400, 400, 303, 303, 303, 303, 303])
  })

  it('a foreign page that begins sign-ins cannot make the cookies too long for a server', async () => {
    const { clock, visitor, signIn } = setUp()
    for (const length of [500, 511, 512, 2_000, 2_660, 60_000, 511, 511, 511, 511]) {
      const away = await visitor.send(`/auth/sign-in?returnTo=/${'a'.repeat(length)}`, {}, VISIT)
      expect(away.status).toBe(303)
      const sent = [...visitor.cookies].map(([name, { value }]) => `${name}=${value}`).join('; ')
      expect(sent.length).toBeLessThan(4_100)
      await clock.advance(1)
    }
    expect((await signIn('ada', visitor, `/${'b'.repeat(511)}`)).headers.get('location')).toHaveLength(512)
    expect((await signIn('ada', visitor, `/${'b'.repeat(512)}`)).headers.get('location')).toBe('/')
  })

  it('a sign-in is remembered beside those of a clock that was ahead', async () => {
    const { clock, visitor, signIn } = setUp()
    const now = clock.now()
    const later = vi.spyOn(clock, 'now').mockReturnValue(now + 3_600_000)
    for (let tab = 0; tab < 5; tab++) await visitor.send('/auth/sign-in', {}, VISIT)
    later.mockRestore()
    expect((await signIn()).headers.get('location')).toBe('/inbox')
  })

  it.each(['//evil.test', 'https://evil.test', '/\\evil.test', 'javascript:alert(1)'])(
    'the user is not sent to another site after the sign-in: %s',
    async (target) => {
      const { signIn, visitor } = setUp()
      expect((await signIn('ada', visitor, target)).headers.get('location')).toBe('/')
    },
  )

  it('a step-up asks the server for more, and gives a new cookie', async () => {
    const { visitor, signIn } = setUp({
      authorize: (request) => ({ acrValues: new URL(request.url).searchParams.get('acr') ?? '' }),
    })
    await signIn()
    const before = visitor.session()
    const away = await visitor.send('/auth/sign-in?acr=mfa', {}, VISIT)
    const url = new URL(away.headers.get('location') ?? '')
    expect(url.searchParams.get('acrValues')).toBe('mfa')
    await visitor.send(`/auth/callback?code=ada&state=${url.searchParams.get('state')}`, {}, VISIT)
    expect(visitor.session()).not.toBe(before)
  })

  it('a script cannot start or finish a sign-in', async () => {
    const { visitor } = setUp()
    for (const path of ['/auth/sign-in', '/auth/callback?code=a&state=b'])
      expect((await visitor.send(path)).status).toBe(400)
    expect((await visitor.send('/auth/sign-in', {}, { ...VISIT, 'sec-fetch-dest': 'iframe' })).status).toBe(
      400,
    )
  })
})

describe('signing in by a form of the app', () => {
  const credentials = (request: Request) => request.json() as Promise<SignIn>

  it('right credentials give a cookie, and wrong ones 401', async () => {
    const world = createWorld({ jwt: true })
    const pool = world.pool({
      signIn: ({ username }: SignIn) =>
        username === 'ada' ? world.server.issue('ada') : Promise.reject(new TypeError('secret text')),
    })
    const bff = createBff({ pool, credentials })
    const visitor = browser(bff.handle.bind(bff))
    const post = (username: string) =>
      visitor.send('/auth/sign-in', { method: 'POST', body: JSON.stringify({ username }) })
    const refused = await post('eve')
    expect(refused.status).toBe(401)
    expect(await refused.text()).not.toContain('secret')
    expect(await (await post('ada')).json()).toMatchObject({ signedIn: true, subject: 'ada' })
    expect(visitor.session()).toMatch(/^[\w-]{43}$/)
    const headers = {
      origin: 'https://evil.test',
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
    }
    expect((await visitor.send('/auth/sign-in', { method: 'POST', body: '{}' }, headers)).status).toBe(403)
  })

  describe('without scripts', () => {
    const FORM = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate', origin: APP }
    const OLD_BROWSER = { origin: APP }

    function signInPage(given: Pick<BffOptions<SignIn, unknown>, 'onSignInFailed'> = {}) {
      const world = createWorld({ jwt: true })
      const pool = world.pool({
        signIn: ({ username }: SignIn) =>
          username === 'ada' ? world.server.issue('ada') : Promise.reject(new TypeError('secret text')),
      })
      const bff = createBff({
        pool,
        credentials: async (request) => ({ username: String((await request.formData()).get('username')) }),
        ...given,
      })
      const visitor = browser(bff.handle.bind(bff))
      const post = (username: string, query = '', from: Record<string, string> = FORM) =>
        visitor.send(
          `/auth/sign-in${query}`,
          { method: 'POST', body: new URLSearchParams({ username }) },
          from,
        )
      return { ...world, visitor, post }
    }

    it.each([
      ['?returnTo=%2Finbox%3Fall%3D1', FORM, '/inbox?all=1'],
      ['', FORM, '/'],
      ['?returnTo=%2Finbox', OLD_BROWSER, '/inbox'],
      ['?returnTo=https%3A%2F%2Fevil.test', FORM, '/'],
      ['?returnTo=%2F%2Fevil.test', FORM, '/'],
    ])('the user goes on to the page that the form names, with a cookie: %s', async (query, from, page) => {
      const { post, visitor } = signInPage()
      const answer = await post('ada', query, from)
      expect([answer.status, answer.headers.get('location')]).toEqual([303, page])
      expect(visitor.session()).toMatch(/^[\w-]{43}$/)
      expect(await (await visitor.send('/auth/session')).json()).toMatchObject({ subject: 'ada' })
    })

    it('wrong credentials give a page that leads back to the form', async () => {
      const { post, visitor } = signInPage()
      const answer = await post('eve', '', { ...FORM, referer: `${APP}/login?from=%22%3Cb%3E` })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8')
      const page = await answer.text()
      expect(page).toContain('The sign-in failed (failed).')
      expect(page).toContain('<a href="/login?from=%22%3Cb%3E">')
      expect(visitor.session()).toBeUndefined()
    })

    it.each([undefined, 'https://evil.test/login', 'none', `${APP}//evil.test/login`])(
      'the page of a failed sign-in leads to no other site: %s',
      async (referer) => {
        const { post } = signInPage()
        const answer = await post('eve', '', { ...FORM, ...(referer && { referer }) })
        expect(await answer.text()).toContain('<a href="/">')
      },
    )

    it('the app may answer a sign-in that failed', async () => {
      const { post } = signInPage({ onSignInFailed: () => new Response('own', { status: 422 }) })
      const answer = await post('eve')
      expect([answer.status, await answer.text()]).toEqual([422, 'own'])
    })

    it('while the database is down the page says so', async () => {
      const { post, database, pass, visitor } = signInPage()
      database.down = true
      const sent = post('ada')
      await pass(10_000)
      const answer = await sent
      expect(answer.status).toBe(503)
      expect(await answer.text()).toContain('<a href="/">')
      expect(visitor.session()).toBeUndefined()
    })

    it.each<[string, Record<string, string>]>([
      ['another site', { ...FORM, 'sec-fetch-site': 'cross-site', origin: 'https://evil.test' }],
      ['a subdomain', { ...FORM, 'sec-fetch-site': 'same-site', origin: 'https://blog.app.test' }],
      ['an unknown place', { ...FORM, 'sec-fetch-site': 'none' }],
    ])('a form of %s cannot sign in', async (_, from) => {
      const { post, visitor } = signInPage()
      expect((await post('ada', '', from)).status).toBe(403)
      expect(visitor.session()).toBeUndefined()
    })
  })
})

describe('requests to APIs', () => {
  it('the token of the session goes to the API, and the cookie does not', async () => {
    const { visitor, signIn, server } = setUp()
    await signIn()
    const answer = await visitor.send('/api/notes/7?all=1', {
      method: 'POST',
      body: 'hello',
      headers: {
        'content-type': 'text/plain',
        'x-own': '1',
        connection: 'x-hop',
        'x-hop': '1',
        authorization: 'Basic x',
      },
    })
    expect(await answer.json()).toMatchObject({ method: 'POST', path: '/api/notes/7', subject: 'ada' })
    const sent = server.log.at(-1)
    expect(sent?.url).toContain('/api/notes/7?all=1')
    expect(sent?.headers['x-own']).toBe('1')
    for (const name of ['cookie', 'x-hop', 'x-csrf', 'origin', 'sec-fetch-site'])
      expect(sent?.headers[name]).toBeUndefined()
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('access-control-allow-origin')).toBeNull()
    expect(answer.headers.getSetCookie()).toEqual([])
  })

  it('parallel requests on an expired token, on two processes, cause one refresh and no change of the cookie', async () => {
    const { bff, another, visitor, signIn, server, pass } = setUp()
    await signIn()
    const cookie = `__Host-session=${visitor.session()}`
    const other = another()
    await pass(61_000)
    const render = async (backend: typeof bff) => {
      const session = await backend.session({ headers: new Headers({ cookie }) })
      return session?.fetch(`${server.origin}/api/page`)
    }
    const ask = (backend: typeof bff) =>
      backend.handle(new Request(`${APP}/api/me`, { headers: { ...PAGE, cookie } }))
    const asked = Array.from({ length: 40 }, (_, index) =>
      (index % 4 < 2 ? ask : render)(index % 2 ? other : bff),
    )
    await pass(2_000)
    const answers = await Promise.all(asked)
    expect(new Set(answers.map((answer) => answer?.status))).toEqual(new Set([200]))
    expect(answers.flatMap((answer) => answer?.headers.getSetCookie())).toEqual([])
    expect(server.refreshes).toBe(1)
    expect(server.reuseDetections).toBe(0)
  })

  it('an answer is passed on as it comes, without cookies and permissions of the API', async () => {
    const { visitor, signIn } = setUp(
      {},
      {
        routes: {
          '/api/stream': {
            handler: () =>
              new Response(
                new ReadableStream({
                  start(controller) {
                    controller.enqueue(new TextEncoder().encode('first '))
                    setTimeout(() => {
                      controller.enqueue(new TextEncoder().encode('second'))
                      controller.close()
                    }, 20)
                  },
                }),
                {
                  status: 206,
                  headers: {
                    'set-cookie': 'api=1',
                    'access-control-allow-origin': '*',
                    'cache-control': 'private',
                    'x-own': '1',
                    vary: 'Accept',
                  },
                },
              ),
          },
        },
      },
    )
    await signIn()
    const answer = await visitor.send('/api/stream')
    expect(answer.status).toBe(206)
    const names = [...answer.headers.keys()]
    for (const name of ['set-cookie', 'access-control-allow-origin', 'content-length'])
      expect(names).not.toContain(name)
    expect(answer.headers.get('cache-control')).toBe('private')
    expect(answer.headers.get('vary')).toBe('Accept, Origin, Cookie')
    expect(await answer.text()).toBe('first second')
  })

  it('a redirect of the API stays a redirect within the app', async () => {
    const { visitor, signIn, server } = setUp()
    await signIn()
    const to = async (location: string) => {
      const answer = await visitor.send(`/api/redirect?to=${encodeURIComponent(location)}`)
      return [answer.status, answer.headers.get('location')]
    }
    expect(await to('/api/me?x=1')).toEqual([302, '/api/me?x=1'])
    expect(await to(`${server.origin}/api/me`)).toEqual([302, '/api/me'])
    expect(await to('https://elsewhere.test/x')).toEqual([302, 'https://elsewhere.test/x'])
    expect(await to('//elsewhere.test/x')).toEqual([302, 'https://elsewhere.test/x'])
    for (const outside of ['/auth/sign-out', '../auth/sign-out', `${server.origin}/auth/sign-out`])
      expect(await to(outside)).toEqual([302, `${server.origin}/auth/sign-out`])
  })

  it.each([
    '/api/..%2fpublic',
    '/api/%252e%252e/public',
    '/api/a/..%5cpublic',
    '/api/..;/public',
    '/api/a%00b',
    '/api/..%2fpublic%80',
    '/api/..%2f..%2fpublic/%ff',
    '/api/%c0%ae%c0%ae/public',
    '/api/%25c0%25ae%25c0%25ae/public',
    '/api/x%zz',
    '/api/..%3f/public',
    '/api/..%23',
    '/api/..%20/public',
    `/api/%${'25'.repeat(20)}2e%252e/public`,
  ])('a path that could lead out of the API is refused: %s', async (path) => {
    const { visitor, signIn, server } = setUp()
    await signIn()
    const before = server.log.length
    expect((await visitor.send(path)).status).toBe(400)
    expect(server.log.length).toBe(before)
  })

  it.each(['/api/100%25', '/api/a%3Fb%23c', '/api/sp%C3%A4t', '/api/..a/b..', '/api/a%2Fb'])(
    'another path is forwarded as it is: %s',
    async (path) => {
      const { visitor, signIn, server } = setUp()
      await signIn()
      expect((await visitor.send(path)).status).toBe(200)
      expect(server.log.at(-1)?.url).toContain(path)
    },
  )

  it('headers that could replace the path, the method, the address or the proof do not reach the API', async () => {
    const { visitor, signIn, server } = setUp()
    await signIn()
    const names = [
      ...[
        'x-forwarded-for',
        'x_forwarded_for',
        'x-forwarded',
        'forwarded',
        'x-original-url',
        'x-rewrite-url',
      ],
      ...['x-http-method-override', 'x-http-method', 'x-method-override', 'x-real-ip', 'true-client-ip'],
      ...['cf-connecting-ip', 'x-client-ip', 'client-ip', 'x-cluster-client-ip', 'x-host', 'dpop', 'x-csrf'],
      ...['x-originating-ip', 'x-source-ip', 'x-envoy-external-address', 'x-envoy-original-path'],
      ...['remote-user', 'x_remote_user'],
    ]
    const headers = Object.fromEntries([...names, 'x-own-ip', 'x-methods'].map((name) => [name, 'x']))
    await visitor.send('/api/me', { headers })
    const sent = Object.keys(server.log.at(-1)?.headers ?? {})
    expect(sent).toEqual(expect.arrayContaining(['x-own-ip', 'x-methods', 'authorization']))
    for (const name of names) expect(sent).not.toContain(name)
  })

  /** Answers `/api/answer` with these headers. */
  const answering = (headers: Record<string, string>, status = 200) =>
    setUp({}, { routes: { '/api/answer': { handler: () => new Response('x', { status, headers }) } } })

  it.each([
    [undefined, 'no-store'],
    ['no-store', 'no-store'],
    ['max-age=60', 'private, max-age=60'],
    ['public, max-age=60, s-maxage=600', 'private, max-age=60'],
    ['Public,, S-MaxAge="600", immutable', 'private, immutable'],
    ['private="set-cookie, x", no-cache="a, public", proxy-revalidate', 'private, no-cache="a, public"'],
    ['x-public=1, publicity', 'private, x-public=1, publicity'],
  ])('no shared cache keeps the answer of an API: %s', async (given, expected) => {
    const { visitor, signIn } = answering({
      ...(given && { 'cache-control': given }),
      'cdn-cache-control': 'max-age=60',
      'surrogate-control': 'max-age=60',
    })
    await signIn()
    const { headers } = await visitor.send('/api/answer')
    expect(headers.get('cache-control')).toBe(expected)
    expect(headers.get('vary')).toContain('Cookie')
    for (const name of ['cdn-cache-control', 'surrogate-control']) expect(headers.get(name)).toBeNull()
  })

  it('an answer of an API does not act on the whole app', async () => {
    const names = [
      ...['clear-site-data', 'service-worker-allowed', 'refresh', 'x-accel-redirect', 'x-sendfile'],
      ...['strict-transport-security', 'report-to', 'nel'],
    ]
    const { visitor, signIn } = answering(Object.fromEntries([...names, 'x-own'].map((name) => [name, 'x'])))
    await signIn()
    const { headers } = await visitor.send('/api/answer')
    expect(headers.get('x-own')).toBe('x')
    for (const name of names) expect(headers.get(name), name).toBeNull()
  })

  it.each([
    ['Bearer error="insufficient_scope", scope="a b"', true],
    ['DPoP algs="ES256", Bearer realm="Basic x, Basic y"', true],
    ['Basic realm="x"', false],
    ['Bearer error="x", basic realm="x"', false],
    ['Bearer , Negotiate', false],
    ['NTLM', false],
    ['Digest realm = "x", qop="auth"', false],
  ])(
    'a challenge of an API reaches the page unless a browser would ask for a password: %s',
    async (given, passes) => {
      const { visitor, signIn } = answering({ 'www-authenticate': given }, 403)
      await signIn()
      const answer = await visitor.send('/api/answer')
      expect(answer.status).toBe(403)
      expect(answer.headers.get('www-authenticate')).toBe(passes ? given : null)
    },
  )

  it.each(['http://[', 'http://127.0.0.1:99999/'])(
    'an answer that no browser could use is 502, and its body is not read: %s',
    async (location) => {
      const cancelled = vi.fn()
      const handler = () =>
        new Response(new ReadableStream({ cancel: cancelled }), { status: 302, headers: { location } })
      const { visitor, signIn } = setUp({}, { routes: { '/api/answer': { handler } } })
      await signIn()
      const answer = await visitor.send('/api/answer')
      expect([answer.status, await answer.json()]).toEqual([502, { error: 'invalid_answer' }])
      await vi.waitFor(() => expect(cancelled).toHaveBeenCalled())
    },
  )

  it.each<[string, readonly string[], number]>([
    ['no body', [], 200],
    ['a body of unknown length', ['a', 'b'], 401],
  ])('after a refusal, a request whose stream has %s: %o is answered with %i', async (_, parts, status) => {
    const { visitor, signIn, server } = setUp()
    await signIn()
    server.expireAccessTokens()
    const send = () => {
      const body = new Blob([...parts]).stream()
      return visitor.send('/api/notes', { method: 'DELETE', body, duplex: 'half' } as RequestInit)
    }
    expect((await send()).status).toBe(status)
    const again = await send()
    expect(again.status).toBe(200)
    expect((await again.json()).body).toBe(Buffer.from(parts.join('')).toString('base64'))
  })

  it.each(['/apis/me', '/ap', '/', '/auth', '/auth/sign-in/x'])(
    'another address is left to the app: %s',
    async (path) => {
      const { bff } = setUp()
      expect(await bff.handle(new Request(APP + path, { headers: PAGE }))).toBeUndefined()
    },
  )

  it('without a session the answer is 401, and nothing is sent', async () => {
    const { visitor, server } = setUp()
    const answer = await visitor.send('/api/me')
    expect(answer.status).toBe(401)
    expect(await answer.json()).toEqual({ error: 'signed_out' })
    visitor.cookies.set('__Host-session', { value: 'B'.repeat(43), path: '/', line: '' })
    expect((await visitor.send('/api/me')).status).toBe(401)
    expect(server.log).toEqual([])
  })

  it('while the database is down a request of a session in memory succeeds, and another one is 503', async () => {
    const { visitor, signIn, another, database } = setUp()
    await signIn()
    const other = browser((request) => another().handle(request))
    other.cookies.set('__Host-session', { value: visitor.session() ?? '', path: '/', line: '' })
    database.down = true
    expect((await visitor.send('/api/me')).status).toBe(200)
    const answer = await other.send('/api/me')
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
  })

  it('an API that does not answer is 502', async () => {
    const { visitor, signIn, server } = setUp()
    await signIn()
    vi.stubGlobal('fetch', (input: string | Request, init?: RequestInit) =>
      String(input instanceof Request ? input.url : input).includes('/api/')
        ? Promise.reject(new TypeError('fetch failed'))
        : server.fetch(input, init),
    )
    expect((await visitor.send('/api/me')).status).toBe(502)
  })
})

describe('requests of foreign pages', () => {
  const FORGED = { origin: 'https://evil.test', 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'cors' }

  it.each<[string, Record<string, string>]>([
    ['another site', FORGED],
    ['another site, with the header', { ...FORGED, 'x-csrf': '1' }],
    ['a form of another site', { ...FORGED, 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' }],
    [
      'a neighbouring subdomain',
      { ...FORGED, 'sec-fetch-site': 'same-site', origin: 'https://blog.app.test', 'x-csrf': '1' },
    ],
    ['a request that no page has sent', { ...PAGE, 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }],
    ['an old browser with another origin', { origin: 'https://evil.test', 'x-csrf': '1' }],
    ['an old browser with an opaque origin', { origin: 'null', 'x-csrf': '1' }],
    ['an old browser that sends no origin', {}],
    ['the own page, but without the header', { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' }],
    [
      'an image of the own page',
      { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' },
    ],
  ])('%s is refused everywhere, and the session stays', async (_, headers) => {
    const { visitor, signIn, server } = setUp()
    await signIn()
    const before = server.log.length
    expect((await visitor.send('/api/notes', { method: 'POST', body: 'x' }, headers)).status).toBe(403)
    expect((await visitor.send('/auth/sign-out', { method: 'POST' }, headers)).status).toBe(403)
    if (!('sec-fetch-mode' in headers && headers['sec-fetch-mode'] === 'navigate'))
      expect((await visitor.send('/auth/session', {}, headers)).status).toBe(403)
    expect(server.log.length).toBe(before)
    expect(await (await visitor.send('/auth/session')).json()).toMatchObject({ signedIn: true })
  })

  it.each<[string, Record<string, string>]>([
    ['a script of the own page', PAGE],
    ['a script of an old browser', { origin: APP, 'x-csrf': '1' }],
    ['a program with the header', { 'x-csrf': '1' }],
    [
      'a form of the own page',
      { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate', origin: APP },
    ],
    ['a form of an old browser', { origin: APP }],
    ['a page of an origin that the app trusts', { ...FORGED, origin: 'https://admin.test', 'x-csrf': '1' }],
  ])('%s is allowed', async (_, headers) => {
    const { visitor, signIn } = setUp({ csrf: { origins: ['https://admin.test'] } })
    await signIn()
    expect((await visitor.send('/api/notes', { method: 'POST', body: 'x' }, headers)).status).toBe(200)
  })

  it('behind a proxy the origin of the app counts that was given', async () => {
    const { visitor, signIn } = setUp({ origin: 'https://public.test' })
    await signIn()
    const post = (origin: string) => visitor.send('/api/notes', { method: 'POST', body: 'x' }, { origin })
    expect((await post('https://public.test')).status).toBe(200)
    expect((await post(APP)).status).toBe(403)
  })
})

describe('signing out', () => {
  it('a script gets the address of the server to go to, and the session has ended everywhere', async () => {
    const { visitor, signIn, another, server } = setUp()
    await signIn()
    const key = visitor.session() ?? ''
    const answer = await visitor.send('/auth/sign-out', { method: 'POST' })
    expect(await answer.json()).toEqual({ url: 'https://id.test/end' })
    expect(answer.headers.getSetCookie()).toEqual([
      '__Host-session=; Path=/; Max-Age=0; HttpOnly; Secure; SameSite=Lax',
    ])
    await quiet()
    expect(
      await another().session({ headers: new Headers({ cookie: `__Host-session=${key}` }) }),
    ).toBeUndefined()
    expect(server.revocations).toBe(1)
  })

  it('the session has ended before the server is asked for its own sign-out, and the server gets the ID token', async () => {
    const world = createWorld({ jwt: true })
    const idToken = 'e30.e30.x'
    const signIn = () => ({ ...world.server.issue('ada'), id_token: idToken })
    const pool = world.pool({ signIn })
    const asked: unknown[] = []
    let answer = (_: URL) => {}
    const oauth = {
      authorizationUrl: async () => new URL('https://id.test/authorize'),
      async signOutUrl(auth: SignedIn) {
        await auth.ready()
        asked.push(auth[ID_TOKEN]?.(), auth.session?.subject)
        return new Promise<URL>((resolve) => {
          answer = resolve
        })
      },
    }
    const bff = createBff({ pool, oauth })
    const { key } = await pool.signIn({ username: 'ada' })
    const cookie = `__Host-session=${key}`
    const init = { method: 'POST', headers: { ...PAGE, cookie } }
    const sent = bff.handle(new Request(`${APP}/auth/sign-out`, init))
    await vi.waitFor(() => expect(asked).toEqual([idToken, 'ada']))
    const other = createBff({ pool: world.pool(), oauth })
    expect(await other.session({ headers: new Headers({ cookie }) })).toBeUndefined()
    expect(world.database.stored.size).toBe(0)
    answer(new URL('https://id.test/end'))
    expect(await (await sent)?.json()).toEqual({ url: 'https://id.test/end' })
  })

  it('a form is sent on, also if no user is signed in', async () => {
    const { visitor, signIn } = setUp()
    const form = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'navigate' }
    const post = () => visitor.send('/auth/sign-out', { method: 'POST' }, form)
    expect((await post()).headers.get('location')).toBe('/')
    await signIn()
    expect((await post()).headers.get('location')).toBe('https://id.test/end')
  })

  it('if the database is down, the browser forgets the session, and the answer says so', async () => {
    const { visitor, signIn, database, pass } = setUp()
    await signIn()
    database.down = true
    const sent = visitor.send('/auth/sign-out', { method: 'POST' })
    await pass(5_000)
    expect((await sent).status).toBe(503)
    expect(visitor.session()).toBeUndefined()
  })

  it('a link cannot sign out', async () => {
    const { visitor, signIn } = setUp()
    await signIn()
    expect((await visitor.send('/auth/sign-out', {}, VISIT)).status).toBe(405)
  })
})

describe('back-channel logout', () => {
  const post = (bff: Pick<Bff<unknown>, 'handle'>, body: string) =>
    bff.handle(new Request(`${APP}/auth/back-channel-logout`, { method: 'POST', body }))

  it('the server ends the sessions of a user in all processes, and is asked to try again while the database is down', async () => {
    const logout: BffLogout = {
      async handle(request, end) {
        const [subject, sid] = (await request.text()).split(' ')
        const ended = await Promise.resolve(end({ subject, sid })).catch(() => 'failed')
        return new Response(String(ended), { status: ended === 'failed' ? 503 : 200 })
      },
    }
    const { visitor, signIn, another, database } = setUp({ logout })
    await signIn()
    database.down = true
    expect((await post(another(), 'ada'))?.status).toBe(503)
    database.down = false
    expect(await (await post(another(), 'eve'))?.text()).toBe('0')
    expect(await (await post(another(), 'ada'))?.text()).toBe('1')
    await quiet()
    expect(await (await visitor.send('/auth/session')).json()).toEqual({ signedIn: false })
  })

  it('without a check of its tokens the address does not exist', async () => {
    const { bff } = setUp()
    expect(await post(bff, 'ada')).toBeUndefined()
  })
})

describe('fleetMemory', () => {
  it('a name is remembered by a process whose clock is far behind that of the database', async () => {
    const { clock, database } = createWorld()
    const behind = fleetMemory(database.fleet, { now: () => clock.now() - 1_800_000 })
    expect(await behind.remember('a', 1_000)).toBe(true)
    expect(await behind.remember('a', 1_000)).toBe(false)
    expect(await behind.isRemembered('a')).toBe(true)
  })

  it('a name counts once in all processes, until its time has passed', async () => {
    const { clock, database } = createWorld()
    const [one, other] = [fleetMemory(database.fleet, clock), fleetMemory(database.fleet, clock)]
    const results = await Promise.all([one, other, one, other].map((memory) => memory.remember('a', 1_000)))
    expect(results.filter(Boolean)).toHaveLength(1)
    expect(await other.isRemembered('a')).toBe(true)
    expect(await other.isRemembered('b')).toBe(false)
    await clock.advance(3_601_001)
    expect(await one.isRemembered('a')).toBe(false)
    expect(await one.remember('a', 1_000)).toBe(true)
    database.down = true
    await expect(one.isRemembered('c')).rejects.toMatchObject({ code: 'storage_failed' })
    await expect(one.remember('c', 1_000)).rejects.toMatchObject({ code: 'storage_failed' })
  })
})

describe('bff.session', () => {
  it('code of the server gets facts and a fetch, and the token goes to the APIs only', async () => {
    const { bff, visitor, signIn, server } = setUp()
    await signIn()
    const session = await bff.session({
      headers: new Headers({ cookie: `a=b; __Host-session=${visitor.session()}` }),
    })
    expect(session?.subject).toBe('ada')
    expect(Object.keys(session ?? {}).sort()).toEqual(['claims', 'expiresAt', 'fetch', 'subject'])
    expect(await (await session?.fetch(`${server.origin}/api/me`))?.json()).toMatchObject({ subject: 'ada' })
    await session?.fetch('https://elsewhere.test/public')
    expect(server.log.at(-1)?.headers.authorization).toBeUndefined()
  })

  it('shows the facts of the user from the sign-in, also after a refresh in another process, and so does the address for pages', async () => {
    const user = { name: 'Ada Lovelace', roles: ['admin'] }
    const world = createWorld({ jwt: true })
    const signIn = async ({ username }: SignIn) => ({ ...(await world.server.issue(username)), user })
    const credentials = (request: Request) => request.json() as Promise<SignIn>
    const pools = [world.pool({ signIn }), world.pool({ signIn })] as const
    const [first, other] = pools.map((pool) => createBff({ pool, credentials })) as [Bff, Bff]
    const visitor = browser(first.handle.bind(first))
    const body = JSON.stringify({ username: 'ada' })
    const answer = await visitor.send('/auth/sign-in', { method: 'POST', body })
    expect(await answer.json()).toMatchObject({ subject: 'ada', user })
    await world.pass(61_000)
    await pools[1].use(visitor.session() ?? '', (auth) => auth.getAccessToken())
    expect(world.server.refreshes).toBe(1)
    const cookie = `__Host-session=${visitor.session()}`
    for (const bff of [other, first]) {
      expect((await bff.session({ headers: new Headers({ cookie }) }))?.user).toEqual(user)
      const shown = await bff.handle(new Request(`${APP}/auth/session`, { headers: { ...PAGE, cookie } }))
      expect(await shown?.json()).toMatchObject({ signedIn: true, user })
    }
  })

  it.each([
    undefined,
    '',
    'a=b',
    '__Host-session=',
    '__Host-session=short',
    `session=${'A'.repeat(43)}`,
    ';;=;',
  ])('without a session it is undefined: %s', async (cookie) => {
    const { bff, database } = setUp()
    const before = database.count('read')
    expect(
      await bff.session({ headers: new Headers(cookie === undefined ? {} : { cookie }) }),
    ).toBeUndefined()
    expect(database.count('read')).toBe(before)
  })
})

describe('the database of a backend', () => {
  it('its content signs no one in and shows no token, no user and no cookie', async () => {
    const { bff, visitor, signIn, database, pool } = setUp()
    await signIn('ada.lovelace@example.com')
    const key = visitor.session() ?? ''
    const token = await pool.use(key, (auth) => auth.getAccessToken())
    const hash = await hashKey(key)
    const stored = [...database.stored].find(([name]) => name === hash)
    expect(stored).toBeDefined()
    const dump = JSON.stringify([...database.stored])
    const opened = Buffer.from(stored?.[1].box ?? '', 'base64url').toString('latin1')
    for (const secret of [key, token, token.split('.')[1] as string, 'ada.lovelace', 'refreshToken'])
      for (const text of [dump, opened]) expect(text.includes(secret), secret).toBe(false)
    for (const found of [stored?.[0] ?? '', ...(stored?.[1].tags ?? []), stored?.[1].id ?? '']) {
      const headers = new Headers({ cookie: `__Host-session=${found}` })
      expect(await bff.session({ headers })).toBeUndefined()
    }
  })
})

describe('options of createBff', () => {
  it.each<[RegExp, object]>([
    [/pool must be made/, { pool: {} }],
    [/either oauth or credentials/, { oauth: undefined }],
    [/either oauth or credentials/, { credentials: () => ({}) }],
    [/cookie.name must be/, { cookie: { name: 'a b' } }],
    [/__Host-x must be secure/, { cookie: { name: '__Host-x', secure: false } }],
    [/cookie.lifetime must be/, { cookie: { lifetime: 10 } }],
    [/paths.session must be/, { paths: { session: 'session' } }],
    [/path of an API/, { apis: { 'api/': { to: 'https://api.test' } } }],
    [/apis\['\/api'\].to must be a whole URL/, { apis: { '/api': { to: undefined } } }],
    [/apis\['\/api'\].to must be a whole URL/, { apis: { '/api': { to: 'api.test' } } }],
    [/csrf.header must be/, { csrf: { header: 'a b' } }],
    [/an origin must be written/, { origin: 'https://app.test/path' }],
    [/an origin must be written/, { csrf: { origins: ['app.test'] } }],
  ])('%s', (message, wrong) => {
    expect(() => setUp(wrong)).toThrow(message)
  })

  it('a cookie without Secure is for http on this machine only', async () => {
    const { bff } = setUp({ cookie: { secure: false } })
    await expect(bff.handle(new Request(`${APP}/auth/session`, { headers: PAGE }))).rejects.toThrow(
      /cookie.secure/,
    )
    const local = await bff.handle(new Request('http://localhost:3000/auth/session', { headers: PAGE }))
    expect(local?.status).toBe(200)
  })
})
