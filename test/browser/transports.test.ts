import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  createTokenServer,
  type ListeningTokenServer,
  type TokenServer,
} from '../../src/testing/token-server/token-server.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import type { TransportName } from './page.ts'

declare global {
  var scenarios: typeof import('./page.ts').scenarios
}

const TRANSPORTS: TransportName[] = ['fetch', 'ofetch', 'axios xhr', 'axios fetch']

describe.skipIf(!hasChromium)('transports in Chromium', () => {
  let browser: Browser
  let pageServer: Server
  let origin: string
  let page: Page
  let server: TokenServer
  let listening: ListeningTokenServer
  const problems: string[] = []

  beforeAll(async () => {
    const bundle = await build({
      entryPoints: [new URL('./page.ts', import.meta.url).pathname],
      bundle: true,
      format: 'esm',
      platform: 'browser',
      target: 'es2022',
      write: false,
    })
    const script = bundle.outputFiles[0]?.text ?? ''
    pageServer = createServer((request, response) => {
      if (request.url === '/page.js') response.setHeader('content-type', 'text/javascript').end(script)
      else if (request.url === '/headers') response.end(request.headers.authorization ?? 'none')
      else
        response.setHeader('content-type', 'text/html').end('<script type="module" src="/page.js"></script>')
    })
    await new Promise<void>((resolve) => pageServer.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(pageServer.address() as AddressInfo).port}`
    browser = await launchChromium()
  }, 180_000)

  afterAll(async () => {
    await browser?.close()
    pageServer?.closeAllConnections()
    pageServer?.close()
  })

  beforeEach(async () => {
    server = createTokenServer()
    listening = await server.listen()
    const context = await browser.newContext()
    page = await context.newPage()
    page.on('pageerror', (error) => problems.push(error.message))
    await page.goto(origin)
    await page.waitForFunction(() => 'scenarios' in globalThis)
  })

  afterEach(async () => {
    await page.context().close()
    await listening.close()
    expect(problems.splice(0)).toEqual([])
  })

  const expired = () => {
    const tokens = server.issue()
    server.expireAccessTokens()
    return tokens
  }

  describe.each(TRANSPORTS)('%s', (name) => {
    it('recovers from parallel 401s with one refresh', async () => {
      const tokens = expired()
      const statuses = await page.evaluate(
        ([name, url, tokens]) => scenarios.parallel(name, url, tokens, 20),
        [name, listening.url, tokens] as const,
      )
      expect(statuses).toEqual(Array(20).fill(200))
      expect(server.refreshes).toBe(1)
    })

    it('replays a form part for part, byte for byte', async () => {
      const answer = await page.evaluate(([name, url, tokens]) => scenarios.form(name, url, tokens), [
        name,
        listening.url,
        expired(),
      ] as const)
      expect(answer.status).toBe(200)
      const sent = server.log.filter(({ path, method }) => path === '/api/form' && method === 'POST')
      expect(sent.map(({ status }) => status)).toEqual([401, 200])
      const [first, second] = sent.map(({ bodyBytes, headers }) => {
        const [type = '', boundary = ''] = headers['content-type']?.split('boundary=') ?? []
        const parts = Buffer.from(bodyBytes).toString('latin1').split(`--${boundary}`)
        return { type, boundary, parts }
      })
      expect(second).toEqual(first)
      expect(first?.parts).toEqual([
        '',
        expect.stringMatching(/name="name"\r\n\r\nada\r\n$/),
        expect.stringMatching(/filename="bytes.bin"\r\n.*\r\n\r\n\0\xff\r\n\x80\r\n$/),
        '--\r\n',
      ])
    })

    it('rejects a held request at once when its caller aborts, and no other request', async () => {
      const tokens = expired()
      server.hangNext(1)
      const refreshing = server.whenRequest(({ path }) => path === '/token')
      const result = page.evaluate(
        ([name, url, tokens]) => scenarios.abortWhileHeld(name, url, { ...tokens, expires_in: 0 }),
        [name, listening.url, tokens] as const,
      )
      await refreshing
      // The first refresh hangs for ever. So the abort can only have rejected before the second refresh if it waits for nothing.
      const { aborted, stateThen, stayed } = await result
      expect(aborted).toMatch(/AbortError|CanceledError/)
      expect(stateThen).toBe('refreshing')
      expect(stayed).toBe(200)
      expect(server.log.filter(({ path }) => path === '/api/leaves')).toEqual([])
    })

    it('sends the token to the origin of the page, and to no unlisted origin', async () => {
      const tokens = server.issue()
      const { own, foreign } = await page.evaluate(
        ([name, url, tokens]) => scenarios.origins(name, url, tokens),
        [name, listening.url, tokens] as const,
      )
      expect(own).toBe(`Bearer ${tokens.access_token}`)
      expect(foreign).toBe(401)
      expect(server.log.find(({ path }) => path === '/api/foreign')?.authorization).toBeUndefined()
    })
  })

  it('restores a session from localStorage after a reload', async () => {
    expect(
      await page.evaluate(([url, tokens]) => scenarios.persist(url, tokens), [
        listening.url,
        server.issue(),
      ] as const),
    ).toBe('authenticated')
    await page.reload()
    await page.waitForFunction(() => 'scenarios' in globalThis)
    expect(await page.evaluate((url) => scenarios.restore(url), listening.url)).toEqual({
      before: 'restoring',
      after: 'authenticated',
      status: 200,
    })
  })
})
