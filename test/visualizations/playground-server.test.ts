import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { CONTROL_HEADER, PAGE_HEADER } from '../../visualizations/playground/headers.ts'
import { latencyOf } from '../../visualizations/playground/server/slow-api.ts'
import {
  type Playground,
  servePlayground,
  startPlayground,
} from '../../visualizations/playground/server/start.ts'

interface Tokens {
  readonly access_token: string
  readonly refresh_token: string
  readonly expires_in: number
  readonly scope: string
}

let playground: Playground
beforeEach(async () => {
  playground = await servePlayground(new Map())
  // What takes time is tested by itself.
  playground.server.tokenDelay = 0
})
afterEach(() => playground.close())

/** What a page does: one of its own, by its name. */
function createPage(name = 'page-1') {
  const { url } = playground
  const headers = { [PAGE_HEADER]: name }
  const ask = (form: Record<string, string>) =>
    fetch(`${url}/token`, { method: 'POST', headers, body: new URLSearchParams(form) })
  return {
    ask,
    signIn: async (): Promise<Tokens> =>
      (await ask({ grant_type: 'password', username: 'ada', password: 'correct' })).json(),
    refresh: ({ refresh_token }: Tokens) => ask({ grant_type: 'refresh_token', refresh_token }),
    read: ({ access_token }: Tokens, path = '/api/books/1') =>
      fetch(url + path, { headers: { ...headers, authorization: `Bearer ${access_token}` } }),
    press: (control: string, also: Record<string, string> = {}) =>
      fetch(`${url}/playground/${control}`, {
        method: 'POST',
        headers: { ...headers, origin: url, [CONTROL_HEADER]: '1', ...also },
      }),
  }
}

type Page = ReturnType<typeof createPage>

const pressed = async (page: Page, control: string) => expect((await page.press(control)).status).toBe(204)
const answerOf = async (response: Promise<Response>) => {
  const { status } = await response
  return { status, body: await (await response).json() }
}
const claimsOf = (token: string) => JSON.parse(atob(token.split('.')[1] ?? ''))

describe('the session server of the playground', () => {
  it('signs in with a scope and a JWT, refreshes, and answers the API', async () => {
    const page = createPage()
    const tokens = await page.signIn()
    expect(tokens).toMatchObject({ expires_in: 20, scope: 'books:read books:write' })
    expect(claimsOf(tokens.access_token)).toMatchObject({ sub: 'ada' })
    const { status, body } = await answerOf(page.refresh(tokens))
    expect(status).toBe(200)
    expect(body.refresh_token).not.toBe(tokens.refresh_token)
    expect(await answerOf(page.read(body))).toEqual({
      status: 200,
      body: { path: '/api/books/1', subject: 'ada', generation: 2 },
    })
  })

  it('revokes', async () => {
    const page = createPage()
    const tokens = await page.signIn()
    const body = new URLSearchParams({ token: tokens.refresh_token })
    expect((await fetch(`${playground.url}/revoke`, { method: 'POST', body })).status).toBe(200)
    expect((await page.refresh(tokens)).status).toBe(400)
  })

  it('takes its time for each path: between 60 and 360 ms, always the same, and not the same for all', () => {
    const paths = Array.from({ length: 100 }, (_, index) => `/api/books/${index + 1}`)
    const times = paths.map(latencyOf)
    expect(Math.min(...times)).toBeGreaterThanOrEqual(60)
    expect(Math.max(...times)).toBeLessThanOrEqual(360)
    expect(paths.map(latencyOf)).toEqual(times)
    expect(new Set(times).size).toBeGreaterThan(80)
    for (const [index, time] of times.entries()) expect(time).not.toBe(times[index + 1])
  })

  it('does not answer sooner than that', async () => {
    const page = createPage()
    const tokens = await page.signIn()
    const began = performance.now()
    await page.read(tokens, '/api/books/7')
    // A timer of Node may be a millisecond early.
    expect(performance.now() - began).toBeGreaterThanOrEqual(latencyOf('/api/books/7') - 1)
  })
})

describe('the controls of the playground', () => {
  it('expires the access tokens there are, and no refresh token', async () => {
    const page = createPage()
    const tokens = await page.signIn()
    await pressed(page, 'expire-access-token')
    expect(await answerOf(page.read(tokens))).toEqual({ status: 401, body: { error: 'invalid_token' } })
    const renewed = await answerOf(page.refresh(tokens))
    expect(renewed.status).toBe(200)
    expect((await page.read(renewed.body)).status).toBe(200)
  })

  it('kills the refresh tokens there are, and no access token', async () => {
    const page = createPage()
    const tokens = await page.signIn()
    await pressed(page, 'kill-refresh-token')
    expect(await answerOf(page.refresh(tokens))).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    })
    expect((await page.read(tokens)).status).toBe(200)
  })

  it('fails the next three refreshes, and neither a sign-in between them nor the fourth', async () => {
    const page = createPage()
    const tokens = await page.signIn()
    await pressed(page, 'fail-refreshes')
    const statuses = [(await page.refresh(tokens)).status]
    const other = await page.signIn()
    expect(other.access_token).toBeTypeOf('string')
    for (let time = 0; time < 3; time++) statuses.push((await page.refresh(tokens)).status)
    expect(statuses).toEqual([500, 500, 500, 200])
  })

  it('loses the answer to the next refresh, which is done; the same token is taken again', async () => {
    const page = createPage()
    const tokens = await page.signIn()
    await pressed(page, 'lose-answer')
    await expect(page.refresh(tokens)).rejects.toThrow(TypeError)
    expect(playground.server.refreshes).toBe(1)
    expect((await page.refresh(tokens)).status).toBe(200)
    expect(playground.server.reuseDetections).toBe(0)
  })

  it('cuts off one page and lets it back: its requests fail, those of another page do not', async () => {
    const [page, other] = [createPage('page-1'), createPage('page-2')]
    const tokens = await page.signIn()
    await pressed(page, 'offline')
    await expect(page.read(tokens)).rejects.toThrow(TypeError)
    await expect(page.refresh(tokens)).rejects.toThrow(TypeError)
    await expect(page.signIn()).rejects.toThrow(TypeError)
    expect((await other.read(tokens)).status).toBe(200)
    // Nothing of it reached the server.
    expect(playground.server.log.map(({ path }) => path)).toEqual(['/token', '/api/books/1'])
    await pressed(page, 'online')
    expect((await page.read(tokens)).status).toBe(200)
  })

  it('breaks what is under way for a page that goes offline', async () => {
    const [page, other] = [createPage('page-1'), createPage('page-2')]
    const tokens = await page.signIn()
    const arrived = playground.server.whenRequest(({ path }) => path === '/api/mine')
    const broken = expect(page.read(tokens, '/api/mine')).rejects.toThrow(TypeError)
    const whole = other.read(tokens, '/api/theirs')
    await arrived
    await pressed(page, 'offline')
    await broken
    expect((await whole).status).toBe(200)
  })

  it('lets its clock go on while a device sleeps: the token is dead after it, and the page is told how far it is', async () => {
    const page = createPage()
    const readClock = async () => (await fetch(`${playground.url}/playground/clock`)).json()
    const tokens = await page.signIn()
    expect(await readClock()).toEqual({ ahead: 0 })
    await pressed(page, 'sleep?ms=60000')
    expect(await readClock()).toEqual({ ahead: 60_000 })
    expect((await page.read(tokens)).status).toBe(401)
    const { body } = await answerOf(page.refresh(tokens))
    expect(claimsOf(body.access_token).iat * 1000 - Date.now()).toBeGreaterThan(50_000)
    expect((await page.read(body)).status).toBe(200)
  })

  it.each(['', '?ms=', '?ms=0', '?ms=-1', '?ms=Infinity', '?ms=soon', '?ms=86400001'])(
    'sleeps for no such time as "%s"',
    async (query) => {
      expect((await createPage().press(`sleep${query}`)).status).toBe(400)
      expect((await createPage().press('sleep?ms=86400000')).status).toBe(204)
    },
  )

  it.each([
    ['another origin', { origin: 'http://evil.example' }],
    ['no origin', { origin: '' }],
    ['the origin of a page without one', { origin: 'null' }],
  ])('does nothing for %s', async (_, headers) => {
    const page = createPage()
    const tokens = await page.signIn()
    expect((await page.press('expire-access-token', headers)).status).toBe(403)
    expect((await page.read(tokens)).status).toBe(200)
  })

  it('does nothing for who cannot send its headers, and nothing it does not know', async () => {
    const { url } = playground
    const control = (name: string, method: string, headers = {}) =>
      fetch(`${url}/playground/${name}`, { method, headers: { origin: url, ...headers } })
    expect((await control('offline', 'POST')).status).toBe(403)
    expect((await control('offline', 'POST', { [CONTROL_HEADER]: '1' })).status).toBe(403)
    expect((await control('offline', 'POST', { [PAGE_HEADER]: 'page-1' })).status).toBe(403)
    expect((await control('offline', 'GET')).status).toBe(405)
    expect((await control('constructor', 'POST')).status).toBe(404)
    expect((await control('', 'POST')).status).toBe(404)
    const preflight = await control('offline', 'OPTIONS', { 'access-control-request-method': 'POST' })
    expect(preflight.headers.get('access-control-allow-origin')).toBeNull()
  })
})

describe('serving the playground', () => {
  it('builds a page that runs nothing inline and asks nobody else, and serves it under a policy that says so', async () => {
    await using started = Object.assign(await startPlayground(), {
      [Symbol.asyncDispose]: () => started.close(),
    })
    const response = await fetch(started.url)
    expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    const policy = response.headers.get('content-security-policy') ?? ''
    expect(policy).toContain("default-src 'none'")
    expect(policy).toContain("require-trusted-types-for 'script'")
    expect(policy).not.toMatch(/unsafe|http|\*/)
    const html = await response.text()
    expect(html).not.toMatch(/<style|style=|\bon\w+=|<script(?![^>]* src="\/)|(src|href)="(?!\/|#)/)
    const paths = [...html.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path)
    expect(paths.map((path) => path?.split('.').at(-1)).sort()).toEqual(['css', 'js', 'svg'])
    for (const path of paths) expect((await fetch(started.url + path)).status).toBe(200)
    expect((await fetch(`${started.url}/nothing`)).status).toBe(404)
    expect((await fetch(started.url, { method: 'POST' })).status).toBe(405)
  })

  it('keeps no connection that a browser could use again without telling', async () => {
    const connection = await new Promise((resolve, reject) => {
      request(`${playground.url}/playground/clock`, { agent: false }, (response) => {
        resolve(response.headers.connection)
        response.resume()
      })
        .on('error', reject)
        .end()
    })
    expect(connection).toBe('close')
  })

  it('ends what is under way when it is closed, twice over', async () => {
    const page = createPage()
    const tokens = await page.signIn()
    const arrived = playground.server.whenRequest(({ path }) => path === '/api/books/1')
    const broken = expect(page.read(tokens)).rejects.toThrow(TypeError)
    await arrived
    await Promise.all([playground.close(), playground.close()])
    await broken
  })

  it('says so where it cannot listen', async () => {
    const port = Number(new URL(playground.url).port)
    await expect(servePlayground(new Map(), { port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})
