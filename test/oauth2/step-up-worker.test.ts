import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createAuth, onStepUp } from '../../src/index.ts'
import { bundlePage } from '../support/bundle-page.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { type ProviderOptions, startProvider } from './provider.ts'
import { startResourceServer } from './resource-server.ts'
import type { InWorker } from './worker.page.ts'

declare global {
  var inWorker: InWorker
}

describe.skipIf(!hasChromium)('a step-up of a session in a worker', () => {
  let browser: Browser
  let site: Server
  let origin: string
  let setUp: object

  beforeAll(async () => {
    const scripts: Record<string, string> = {
      '/page.js': await bundlePage(new URL('./worker.page.ts', import.meta.url)),
      '/worker.js': await bundlePage(new URL('./session-worker.ts', import.meta.url)),
    }
    site = createServer((request, response) => {
      const script = scripts[request.url?.split('?', 1)[0] ?? '']
      if (script) return void response.setHeader('content-type', 'text/javascript').end(script)
      const page = `<body><script>setUp = ${JSON.stringify(setUp)}</script><script type="module" src="/page.js"></script>`
      response.setHeader('content-type', 'text/html').end(page)
    })
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
    browser = await launchChromium()
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    site?.closeAllConnections()
    site?.close()
  })

  /** A page whose worker has a session of Ada. */
  async function signedIn({
    loginHint = '',
    ...options
  }: ProviderOptions & { readonly loginHint?: string } = {}) {
    const server = await startProvider({ redirectUris: [`${origin}/callback`], ...options })
    const secrets: string[] = []
    server.provider.on('access_token.saved', ({ jti }) => void secrets.push(jti))
    server.provider.on('grant.success', ({ oidc }) => void secrets.push(String(oidc.params?.code_verifier)))
    const resource = await startResourceServer(server)
    const query = new URLSearchParams({ issuer: server.url, resource: resource.url, loginHint })
    setUp = { resource: resource.url, worker: `/worker.js?${query}` }
    const profile = await browser.newContext()
    onTestFinished(() => profile.close())
    /** Everything that the worker sends to pages, and what pages send to it. */
    await profile.addInitScript(() => {
      const heard: string[] = []
      Object.assign(globalThis, { heard })
      const tell = (data: unknown) => heard.push(JSON.stringify(data))
      const { postMessage } = BroadcastChannel.prototype
      BroadcastChannel.prototype.postMessage = function (data) {
        tell(data)
        postMessage.call(this, data)
      }
      new BroadcastChannel('authchart.oauth2.pages.test').onmessage = ({ data }) => tell(data)
      const { port = {} } = Object.getOwnPropertyDescriptors(SharedWorker.prototype)
      Object.defineProperty(SharedWorker.prototype, 'port', {
        get() {
          const own = port.get?.call(this) as MessagePort
          own.addEventListener('message', ({ data }) => tell(data))
          return own
        },
      })
    })
    const open = async () => {
      const page = await profile.newPage()
      await page.goto(origin)
      await page.waitForFunction(() => 'inWorker' in globalThis)
      await page.evaluate(() => inWorker.auth.ready())
      return page
    }
    const page = await open()
    const user = page.evaluate(() => inWorker.signIn())
    await inPopup(page)
    expect(await user).toBe('ada')
    return { page, open, server, resource, secrets }
  }

  /** Clicks the button that opens the window, and waits until the window has closed. */
  async function inPopup(page: Page) {
    const opened = page.waitForEvent('popup')
    await page.click('#again')
    const popup = await opened
    if (!popup.isClosed()) await popup.waitForEvent('close')
  }

  test.each([false, true])(
    'uses a window of a page that the user looks at, and no token reaches a page (COOP: %s)',
    async (coop) => {
      const { page, open, resource, secrets, server } = await signedIn({ coop })
      const other = await open()
      const epoch = await page.evaluate(() => inWorker.auth.session?.epoch)
      const statuses = page.evaluate(() => Promise.all([inWorker.call('/mfa'), inWorker.call('/mfa')]))
      // Both pages are visible, and ask. The second one stops when the first has opened the window.
      await other.waitForSelector('#again')
      await inPopup(page)
      expect(await statuses).toEqual([200, 200])
      await other.waitForSelector('#again', { state: 'detached' })
      expect(await page.evaluate(() => inWorker.auth.session?.epoch)).toBe(epoch)
      expect(await other.evaluate(() => inWorker.call('/mfa'))).toBe(200)
      expect(resource.count('/mfa 401')).toBe(2)
      expect(server.problems).toEqual([])

      const seen = await page.evaluate(() =>
        [...(Reflect.get(globalThis, 'heard') as string[]), ...Object.values(localStorage)].join('\n'),
      )
      expect(seen).toContain('"opened"')
      expect(seen).toContain('"answer"')
      // Two access tokens and two verifiers.
      expect(new Set(secrets).size).toBe(4)
      for (const secret of secrets) expect(seen).not.toContain(secret)
    },
    120_000,
  )

  test('returns the answer of the API if the user declines, and asks again for the next request', async () => {
    const { page, resource } = await signedIn()
    for (let time = 1; time <= 2; time++) {
      const status = page.evaluate(() => inWorker.call('/write'))
      await page.click('#never')
      expect(await status).toBe(403)
      expect(resource.count('/write 403')).toBe(time)
    }
    const status = page.evaluate(() => inWorker.call('/write'))
    await inPopup(page)
    expect(await status).toBe(200)
  }, 120_000)

  test('leaves no window if the page fails after it has opened one', async () => {
    const { page } = await signedIn()
    const status = page.evaluate(() => inWorker.call('/mfa'))
    const opened = page.waitForEvent('popup')
    await page.click('#fail')
    const popup = await opened
    if (!popup.isClosed()) await popup.waitForEvent('close')
    expect(await status).toBe(401)
  }, 120_000)

  test('leaves no window if the worker is stopped meanwhile', async () => {
    let isSlow = false
    let isAsked = false
    const { page } = await signedIn({
      async untilSignIn() {
        isAsked = isSlow
        if (isSlow) await new Promise(() => {})
      },
    })
    isSlow = true
    void page.evaluate(() => inWorker.call('/mfa')).catch(() => {})
    const opened = page.waitForEvent('popup')
    await page.click('#again')
    const popup = await opened
    await vi.waitUntil(() => isAsked, { timeout: 30_000 })
    expect(popup.isClosed()).toBe(false)
    await page.evaluate(() => new BroadcastChannel('test.stop').postMessage(''))
    if (!popup.isClosed()) await popup.waitForEvent('close')
  }, 120_000)

  test('keeps the window of a worker that holds no lock', async () => {
    const { page } = await signedIn()
    const elsewhere = `${origin}/elsewhere`
    await page.evaluate(() => {
      const older = new BroadcastChannel('authchart.oauth2.pages.test')
      const isOpened = new Promise<void>((resolve) => {
        older.onmessage = ({ data }) => data.type === 'opened' && resolve()
      })
      older.postMessage({ type: 'ask', id: 'older' })
      Object.assign(globalThis, { older, isOpened })
    })
    const opened = page.waitForEvent('popup')
    await page.click('#again')
    const popup = await opened
    await page.evaluate(async (url) => {
      const { older, isOpened } = globalThis as unknown as {
        older: BroadcastChannel
        isOpened: Promise<void>
      }
      await isOpened
      // A request of the page for that lock would come first.
      await navigator.locks.request('authchart.oauth2.window.older', () => {})
      older.postMessage({ type: 'go', id: 'older', url })
    }, elsewhere)
    await popup.waitForURL(elsewhere, { timeout: 20_000 })
    await page.evaluate(() =>
      (Reflect.get(globalThis, 'older') as BroadcastChannel).postMessage({ type: 'end', id: 'older' }),
    )
    if (!popup.isClosed()) await popup.waitForEvent('close')
  }, 120_000)

  test('refuses another user, and keeps the session', async () => {
    const { page } = await signedIn({ loginHint: 'grace' })
    const status = page.evaluate(() => inWorker.call('/mfa'))
    await inPopup(page)
    expect(await status).toBe(401)
    expect(await page.evaluate(() => inWorker.auth.session?.subject)).toBe('ada')
    expect(await page.evaluate(() => inWorker.call('/'))).toBe(200)
  }, 120_000)

  test('returns the answer of the API if no page offers a window', async () => {
    const { page, open } = await signedIn()
    setUp = { ...setUp, isSilent: true }
    const silent = await open()
    await page.close()
    expect(await silent.evaluate(() => inWorker.call('/mfa'))).toBe(401)
    // A page that comes while the worker asks is asked, too.
    setUp = { ...setUp, isSilent: false }
    const status = silent.evaluate(() => inWorker.call('/mfa'))
    const late = await open()
    await vi.waitUntil(async () => (await late.locator('#again').count()) > 0, { timeout: 30_000 })
    await inPopup(late)
    expect(await status).toBe(200)
  }, 120_000)
})

test('onStepUp of a page whose session is in a worker says where to call it', async () => {
  const { connectAuth } = await import('../../src/worker/index.ts')
  const { port1 } = new MessageChannel()
  const auth = connectAuth(port1 as never)
  onTestFinished(() => auth.dispose())
  const handler = () => undefined
  expect(() => onStepUp(auth, handler)).toThrow(/in the worker if the session is there/)
  const own = createAuth({ refresh: () => ({}) })
  onTestFinished(() => own.dispose())
  expect(() => onStepUp(own, handler)).not.toThrow()
})
