import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { ChildServer } from '../support/child-server.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { freePort } from '../support/free-port.ts'
import { fileNameOf, root, SOURCES, snippetsOf } from './readme-source.ts'

declare global {
  var cookieApp: {
    auth: import('../../src/index.ts').Auth<{ username: string; password: string }>
    api: typeof fetch
    printed: unknown[]
  }
}

const snippets = snippetsOf('docs/start/cookie-mode.md')
const codeOf = (name: string) => snippets.find((snippet) => fileNameOf(snippet) === name)?.code ?? ''

/** What the page shows last: signs in and sends a request. */
const MAIN = `
const printed = []
const console = { log: (value) => printed.push(value) }
globalThis.cookieApp = { auth, api, printed }
${snippets.at(-1)?.code}
`

let folder: string
let browser: Browser | undefined
beforeAll(async () => {
  if (hasChromium) browser = await launchChromium()
  folder = mkdtempSync(join(tmpdir(), 'authchart-cookie-mode-'))
  symlinkSync(fileURLToPath(new URL('node_modules', root)), join(folder, 'node_modules'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
  writeFileSync(join(folder, 'sessions.ts'), codeOf('sessions.ts'))
})
afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

const listen = (server: Server) =>
  new Promise<number>((resolve) => {
    server.listen(0, 'localhost', () => resolve((server.address() as AddressInfo).port))
  })

/** Starts a server of the page, as the page says, on another port. */
async function startServer(name: string, pagePort: number) {
  const port = await freePort()
  const file = `${port}-${name}`
  const code = codeOf(name).replace('5173', `${pagePort}`).replace('8080', `${port}`)
  writeFileSync(join(folder, file), code)
  const server = new ChildServer(process.execPath, ['--import', 'tsx', file], { cwd: folder })
  const url = `http://localhost:${port}`
  await server.ready(() => fetch(`${url}/me`))
  return { url, port, close: () => server.stop('SIGTERM') }
}

async function bundlePage(apiPort: number): Promise<string> {
  const local = (code: string) => code.replaceAll('http://localhost:8080', `http://localhost:${apiPort}`)
  writeFileSync(join(folder, 'auth.ts'), local(codeOf('auth.ts')))
  writeFileSync(join(folder, 'main.ts'), local(MAIN))
  const alias = Object.fromEntries(
    Object.entries(SOURCES).map(([name, path]) => [name, fileURLToPath(new URL(path, root))]),
  )
  const { outputFiles } = await build({
    entryPoints: [join(folder, 'main.ts')],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    write: false,
    alias,
    logLevel: 'silent',
  })
  return outputFiles[0]?.text ?? ''
}

describe.each(['express.ts', 'hono.ts'])('the server %s of docs/start/cookie-mode.md', (name) => {
  let script = ''
  const pages = createServer((request, response) => {
    const isScript = request.url === '/main.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? script : '<!doctype html><script type="module" src="/main.js"></script>')
  })
  let origin = ''
  let server: Awaited<ReturnType<typeof startServer>>
  beforeAll(async () => {
    const port = await listen(pages)
    origin = `http://localhost:${port}`
    server = await startServer(name, port)
    script = await bundlePage(server.port)
  }, 180_000)
  afterAll(async () => {
    await server?.close()
    pages.closeAllConnections()
    pages.close()
  })

  const post = (action: string, headers: Record<string, string>, body = {}) =>
    fetch(`${server.url}/session/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })

  it('refuses requests of other origins, and those without the header', async () => {
    const own = { origin, 'x-requested-by': 'app' }
    expect((await post('refresh', { origin })).status).toBe(403)
    expect((await post('refresh', { ...own, origin: 'https://evil.example' })).status).toBe(403)
    const refused = await post('refresh', own)
    expect([refused.status, await refused.json()]).toEqual([401, { error: 'invalid_grant' }])
    const wrong = await post('start', own, { username: 'ada', password: 'wrong' })
    expect([wrong.status, wrong.headers.get('set-cookie')]).toEqual([401, null])
  })

  it('answers a request without a token with a challenge', async () => {
    const { status, headers } = await fetch(`${server.url}/me`)
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer error="invalid_token"'])
  })

  describe.skipIf(!hasChromium)('in Chromium', () => {
    const state = (page: Page) => page.evaluate(() => cookieApp.auth.state)
    const me = (page: Page) =>
      page.evaluate(async (url) => (await cookieApp.api(url)).json(), `${server.url}/me`)

    it('signs a user in, keeps the session over a reload and in another tab, and ends it', async () => {
      const context = await browser!.newContext()
      const page = await context.newPage()
      await page.goto(origin)
      await page.waitForFunction(() => globalThis.cookieApp?.printed.length === 1)
      expect(await page.evaluate(() => cookieApp.printed)).toEqual([{ user: 'ada' }])
      expect(await page.evaluate(() => document.cookie)).toBe('')
      expect(await context.cookies(`${server.url}/session/refresh`)).toMatchObject([
        { name: 'session', httpOnly: true, secure: true, sameSite: 'Strict', path: '/session' },
      ])

      const tab = await context.newPage()
      for (const other of [page, tab]) {
        await other.goto(origin)
        await other.waitForFunction(() => globalThis.cookieApp?.printed.length === 1)
        // The session came from the cookie: a sign-in would have been the second event.
        expect(await other.evaluate(() => cookieApp.auth.history.map(({ type }) => type))).not.toContain(
          'signedOut',
        )
        expect(await state(other)).toBe('authenticated')
        expect(await me(other)).toEqual({ user: 'ada' })
      }

      const requests: string[] = []
      page.on('request', (request) => requests.push(new URL(request.url()).pathname))
      await page.reload()
      await page.waitForFunction(() => globalThis.cookieApp?.printed.length === 1)
      expect(requests).toContain('/session/refresh')
      expect(requests).not.toContain('/session/start')

      await page.evaluate(() => cookieApp.auth.signOut())
      expect(await page.evaluate(() => cookieApp.auth.history.map(({ type }) => type))).not.toContain(
        'revocationFailed',
      )
      expect(await context.cookies(`${server.url}/session/refresh`)).toEqual([])
      expect(
        await tab.evaluate(
          (url) =>
            cookieApp.api(url).then(
              ({ status }) => status,
              (error) => error.code,
            ),
          `${server.url}/me`,
        ),
      ).toBe('session_expired')
      await context.close()
    })
  })
})

interface Sessions {
  start(user: string): { cookie: string; body: { accessToken: string; expiresIn: number; subject: string } }
  refresh(cookie: string | undefined): ReturnType<Sessions['start']> | undefined
  end(cookie: string | undefined): void
  userOf(authorization?: string): string | undefined
}

describe('the sessions of docs/start/cookie-mode.md', () => {
  let sessions: Sessions
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ['Date'] })
    sessions = (await import(/* @vite-ignore */ join(folder, 'sessions.ts'))) as Sessions
  })
  afterEach(() => vi.useRealTimers())
  const later = (milliseconds: number) => vi.setSystemTime(Date.now() + milliseconds)

  it('two tabs that send one cookie at the same time both get tokens', () => {
    const { cookie } = sessions.start('ada')
    const [first, second] = [sessions.refresh(cookie), sessions.refresh(cookie)]
    later(60_000)
    expect(sessions.refresh(first?.cookie)?.body.subject).toBe('ada')
    expect(sessions.refresh(second?.cookie)?.body.subject).toBe('ada')
  })

  it('a cookie that comes again later ends the session', () => {
    const { cookie } = sessions.start('ada')
    const next = sessions.refresh(cookie)
    later(11_000)
    expect(sessions.refresh(cookie)).toBeUndefined()
    expect(sessions.refresh(next?.cookie)).toBeUndefined()
    expect(sessions.userOf(`Bearer ${next?.body.accessToken}`)).toBeUndefined()
  })

  it('tokens expire, are not interchangeable, and end with the session', () => {
    const { cookie, body } = sessions.start('ada')
    expect(sessions.userOf(`Bearer ${body.accessToken}`)).toBe('ada')
    expect(sessions.userOf(`Bearer ${cookie}`)).toBeUndefined()
    expect(sessions.refresh(body.accessToken)).toBeUndefined()
    expect(sessions.userOf()).toBeUndefined()
    later(15 * 60_000)
    expect(sessions.userOf(`Bearer ${body.accessToken}`)).toBeUndefined()
    const next = sessions.refresh(cookie)!
    sessions.end(next.cookie)
    expect(sessions.userOf(`Bearer ${next.body.accessToken}`)).toBeUndefined()
    expect(sessions.refresh(next.cookie)).toBeUndefined()
  })
})
