import type { Browser, Frame, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { listen } from '../../examples/demo/listen.ts'
import { fillUp } from '../support/browsers/fill-storage.ts'
import { bundlePage } from '../support/bundle-page.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'

declare global {
  var findClientId: () => Promise<string>
}

describe.skipIf(!hasChromium)('a client that registers itself in a page', () => {
  let browser: Browser
  let script: string

  beforeAll(async () => {
    script = await bundlePage(new URL('./registration.page.ts', import.meta.url))
    browser = await launchChromium()
  }, 60_000)

  afterAll(() => browser?.close())

  /** A server with pages of its own, at which clients register. */
  async function setUp() {
    let registrations = 0
    const { url, close } = await listen((request, response) => {
      response.setHeader('access-control-allow-origin', '*').setHeader('access-control-allow-headers', '*')
      const answer = (status: number, type: string, text: string) =>
        response.writeHead(status, { 'content-type': type }).end(text)
      const { method, url: path = '' } = request
      if (method === 'OPTIONS') answer(204, 'text/plain', '')
      else if (path.includes('.well-known'))
        answer(
          200,
          'application/json',
          JSON.stringify({ issuer: url, registration_endpoint: `${url}/register` }),
        )
      else if (path === '/register')
        answer(201, 'application/json', JSON.stringify({ client_id: `client-${++registrations}` }))
      else if (path === '/page.js') answer(200, 'text/javascript', script)
      else if (path === '/frame')
        answer(200, 'text/html', '<iframe sandbox="allow-scripts" src="/"></iframe>')
      else answer(200, 'text/html', `<title>${url}</title><script type="module" src="/page.js"></script>`)
    })
    onTestFinished(close)
    const profile = await browser.newContext()
    onTestFinished(() => profile.close())
    const page = await profile.newPage()
    return { url, page, registrations: () => registrations }
  }

  async function find(page: Page | Frame) {
    await page.waitForFunction(() => 'findClientId' in globalThis)
    return page.evaluate(() => findClientId())
  }

  test('keeps its client ID between visits, also if the storage of the page is full by then', async () => {
    const { url, page, registrations } = await setUp()
    await page.goto(url)
    expect(await find(page)).toBe('client-1')
    await page.evaluate(fillUp)
    await page.reload()
    expect(await find(page)).toBe('client-1')
    expect(registrations()).toBe(1)
  })

  test('registers once in each visit of a page without a storage', async () => {
    const { url, page, registrations } = await setUp()
    await page.goto(`${url}/frame`)
    const frame = page.frames()[1] as Frame
    expect([await find(frame), await find(frame)]).toEqual(['client-1', 'client-1'])
    expect(registrations()).toBe(1)
  })
})
