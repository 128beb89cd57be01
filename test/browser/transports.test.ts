import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import {
  createTokenServer,
  type ListeningTokenServer,
  type TokenServer,
} from '../../src/testing/token-server/token-server.ts'
import { hasBrowser } from '../support/browsers/engine.ts'
import { launchBrowser } from '../support/browsers/launch.ts'
import type { Browser, Tab } from '../support/browsers/tab.ts'
import { openTab, until } from '../support/browsers/until.ts'
import { bundlePage } from '../support/bundle-page.ts'
import { createSite, type Site } from '../support/site.ts'
import type { TransportName } from './page.ts'

declare global {
  var scenarios: typeof import('./page.ts').scenarios
}

const TRANSPORTS: TransportName[] = ['fetch', 'ofetch', 'axios xhr', 'axios fetch']

describe.skipIf(!hasBrowser)('transports in a browser', () => {
  let browser: Browser
  let site: Site
  let page: Tab
  let server: TokenServer
  let listening: ListeningTokenServer

  beforeAll(async () => {
    const script = await bundlePage(new URL('./page.ts', import.meta.url))
    site = await createSite(script, (path, response, { headers }) => {
      if (path === '/headers') response.end(headers.authorization ?? 'none')
      return path === '/headers'
    })
    browser = await launchBrowser()
  }, 180_000)

  afterAll(async () => {
    await browser?.close()
    site?.close()
  })

  beforeEach(async () => {
    server = createTokenServer()
    listening = await server.listen()
    page = await openTab(await browser.newContext(), site.origin, () => 'scenarios' in globalThis)
  })

  afterEach(async () => {
    await page.context().close()
    await listening.close()
    expect(site.problems.splice(0)).toEqual([])
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
      const refresh = server.holdNext()
      const { aborted, stateThen } = await page.evaluate(
        ([name, url, tokens]) => scenarios.abortWhileHeld(name, url, { ...tokens, expires_in: 0 }),
        [name, listening.url, tokens] as const,
      )
      expect(aborted).toMatch(/AbortError|CanceledError/)
      expect(stateThen).toBe('refreshing')
      refresh.answer()
      expect(await page.evaluate(() => scenarios.stayed())).toBe(200)
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

  it('replays Requests with every kind of body as they were sent', async () => {
    const send = async (kind: Parameters<typeof scenarios.requestObject>[2]) => {
      const answer = await page.evaluate(
        ([url, tokens, kind]) => scenarios.requestObject(url, tokens, kind),
        [listening.url, expired(), kind] as const,
      )
      const [first, second] = server.log
        .filter(({ path, method }) => path === '/api/object' && method === 'POST')
        .slice(-2)
      expect([first?.status, second?.status]).toEqual([401, 200])
      expect(second?.bodyBytes).toEqual(first?.bodyBytes)
      return answer
    }
    expect((await send('form with a file')).body).toMatch(/filename="a.txt"\r\n.*\r\n\r\nabc\r\n/)
    expect(await send('keepalive')).toEqual({ contentType: 'text/plain;charset=UTF-8', body: 'abc' })
    expect(await send('none')).toEqual({ contentType: null, body: '' })
  })

  it('restores a session from localStorage after a reload', async () => {
    expect(
      await page.evaluate(([url, tokens]) => scenarios.persist(url, tokens), [
        listening.url,
        server.issue(),
      ] as const),
    ).toBe('authenticated')
    await page.reload()
    await until(page, () => 'scenarios' in globalThis)
    expect(await page.evaluate((url) => scenarios.restore(url), listening.url)).toEqual({
      before: 'restoring',
      after: 'authenticated',
      status: 200,
    })
  })
})
