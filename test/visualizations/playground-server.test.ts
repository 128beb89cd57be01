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
  // The latency has tests of its own.
  playground.server.tokenDelay = 0
})
afterEach(() => playground.close())

/** Creates a client that acts like a page with this id. */
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

describe('the token server of the playground', () => {
  it('signs in with a scope and a JWT, refreshes, and answers API requests', async () => {
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

  it('revokes tokens', async () => {
    const page = createPage()
    const tokens = await page.signIn()
    const body = new URLSearchParams({ token: tokens.refresh_token })
    expect((await fetch(`${playground.url}/revoke`, { method: 'POST', body })).status).toBe(200)
    expect((await page.refresh(tokens)).status).toBe(400)
  })

  it('has a constant latency for each path, between 60 and 360 ms', () => {
    const paths = Array.from({ length: 100 }, (_, index) => `/api/books/${index + 1}`)
    const times = paths.map(latencyOf)
    expect(Math.min(...times)).toBeGreaterThanOrEqual(60)
    expect(Math.max(...times)).toBeLessThanOrEqual(360)
    expect(paths.map(latencyOf)).toEqual(times)
    expect(new Set(times).size).toBeGreaterThan(80)
    for (const [index, time] of times.entries()) expect(time).not.toBe(times[index + 1])
  })

  it('does not answer before the latency of a path', async () => {
    const page = createPage()
    const tokens = await page.signIn()
    const began = performance.now()
    await page.read(tokens, '/api/books/7')
    // Timers of Node may fire a millisecond early.
    expect(performance.now() - began).toBeGreaterThanOrEqual(latencyOf('/api/books/7') - 1)
  })
})

describe('the controls of the playground', () => {
  it('expire all access tokens, but no refresh token', async () => {
    const page = createPage()
    const tokens = await page.signIn()
    await pressed(page, 'expire-access-token')
    expect(await answerOf(page.read(tokens))).toEqual({ status: 401, body: { error: 'invalid_token' } })
    const refreshed = await answerOf(page.refresh(tokens))
    expect(refreshed.status).toBe(200)
    expect((await page.read(refreshed.body)).status).toBe(200)
  })

  it('revoke all refresh tokens, but no access token', async () => {
    const page = createPage()
    const tokens = await page.signIn()
    await pressed(page, 'kill-refresh-token')
    expect(await answerOf(page.refresh(tokens))).toMatchObject({
      status: 400,
      body: { error: 'invalid_grant' },
    })
    expect((await page.read(tokens)).status).toBe(200)
  })

  it('fail the next three refreshes, but no sign-in between them', async () => {
    const page = createPage()
    const tokens = await page.signIn()
    await pressed(page, 'fail-refreshes')
    const statuses = [(await page.refresh(tokens)).status]
    const other = await page.signIn()
    expect(other.access_token).toBeTypeOf('string')
    for (let time = 0; time < 3; time++) statuses.push((await page.refresh(tokens)).status)
    expect(statuses).toEqual([500, 500, 500, 200])
  })

  it('lose the answer to the next refresh, and accept the same token again', async () => {
    const page = createPage()
    const tokens = await page.signIn()
    await pressed(page, 'lose-answer')
    await expect(page.refresh(tokens)).rejects.toThrow(TypeError)
    expect(playground.server.refreshes).toBe(1)
    expect((await page.refresh(tokens)).status).toBe(200)
    expect(playground.server.reuseDetections).toBe(0)
  })

  it('disconnect and reconnect one page without an effect on another page', async () => {
    const [page, other] = [createPage('page-1'), createPage('page-2')]
    const tokens = await page.signIn()
    await pressed(page, 'offline')
    await expect(page.read(tokens)).rejects.toThrow(TypeError)
    await expect(page.refresh(tokens)).rejects.toThrow(TypeError)
    await expect(page.signIn()).rejects.toThrow(TypeError)
    expect((await other.read(tokens)).status).toBe(200)
    // No request of the offline page reached the server.
    expect(playground.server.log.map(({ path }) => path)).toEqual(['/token', '/api/books/1'])
    await pressed(page, 'online')
    expect((await page.read(tokens)).status).toBe(200)
  })

  it('break the requests in flight of a page that goes offline', async () => {
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

  it('advance the clock of the server while a device sleeps, so that tokens expire', async () => {
    const page = createPage()
    const readClock = async () => (await fetch(`${playground.url}/playground/clock`)).json()
    const tokens = await page.signIn()
    expect(await readClock()).toMatchObject({ ahead: 0 })
    await pressed(page, 'sleep?ms=60000')
    expect(await readClock()).toMatchObject({ ahead: 60_000 })
    expect((await page.read(tokens)).status).toBe(401)
    const { body } = await answerOf(page.refresh(tokens))
    expect(claimsOf(body.access_token).iat * 1000 - Date.now()).toBeGreaterThan(50_000)
    expect((await page.read(body)).status).toBe(200)
  })

  it.each(['', '?ms=', '?ms=0', '?ms=-1', '?ms=Infinity', '?ms=soon', '?ms=86400001'])(
    'reject the sleep time "%s"',
    async (query) => {
      expect((await createPage().press(`sleep${query}`)).status).toBe(400)
      expect((await createPage().press('sleep?ms=86400000')).status).toBe(204)
    },
  )

  it.each([
    ['another origin', { origin: 'http://evil.example' }],
    ['no origin', { origin: '' }],
    ['the origin of a page without one', { origin: 'null' }],
  ])('reject a request with %s', async (_, headers) => {
    const page = createPage()
    const tokens = await page.signIn()
    expect((await page.press('expire-access-token', headers)).status).toBe(403)
    expect((await page.read(tokens)).status).toBe(200)
  })

  it('reject requests without their headers, and unknown controls', async () => {
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

describe('startPlayground', () => {
  it('serves a page without inline scripts and external resources, under a strict policy', async () => {
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

  it('closes each connection, so that a browser cannot silently reuse it', async () => {
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

  it('ends requests in flight when it is closed, even if closed twice', async () => {
    const page = createPage()
    const tokens = await page.signIn()
    const arrived = playground.server.whenRequest(({ path }) => path === '/api/books/1')
    const broken = expect(page.read(tokens)).rejects.toThrow(TypeError)
    await arrived
    await Promise.all([playground.close(), playground.close()])
    await broken
  })

  it('rejects if the port is in use', async () => {
    const port = Number(new URL(playground.url).port)
    await expect(servePlayground(new Map(), { port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
  })
})
