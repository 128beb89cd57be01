import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { createTokenServer } from '../../src/testing/index.ts'
import { bundlePage } from '../support/bundle-page.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { startDPoPFront } from '../support/dpop-front.ts'

declare global {
  var dpop: typeof import('./dpop.page.ts').dpop
  var session: ReturnType<typeof dpop.createSession>
  var shared: ReturnType<typeof dpop.shareSession>
  var api: typeof fetch
}

describe.skipIf(!hasChromium)('DPoP in Chromium', () => {
  let browser: Browser
  let pages: Server
  let origin: string

  beforeAll(async () => {
    const script = await bundlePage(new URL('./dpop.page.ts', import.meta.url))
    pages = createServer((request, response) => {
      const isScript = request.url?.startsWith('/script.js')
      response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
      response.end(
        isScript
          ? script
          : `<!doctype html><script type="module">${script.replaceAll('</script', '<\\/script')}</script>`,
      )
    })
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`
    browser = await launchChromium()
  }, 180_000)

  afterAll(async () => {
    await browser?.close()
    pages?.close()
  })

  /** A server that demands proofs, and a way to open pages of one profile that use it. */
  async function setUp() {
    const server = createTokenServer()
    const listening = await server.listen()
    const front = await startDPoPFront(listening.url)
    const context = await browser.newContext()
    onTestFinished(async () => {
      await context.close()
      await front.close()
      await listening.close()
    })
    const open = async (): Promise<Page> => {
      const page = await context.newPage()
      await page.goto(`${origin}/?api=${encodeURIComponent(front.url)}`)
      await page.waitForFunction(() => 'dpop' in globalThis)
      return page
    }
    return { server, front, open, script: `${origin}/script.js?api=${encodeURIComponent(front.url)}` }
  }

  it('two tabs that make a key at once have one key, 1,000 of 1,000 times', async () => {
    const { open } = await setUp()
    const tabs = [await open(), await open()]
    const [one, other] = await Promise.all(
      tabs.map((tab, index) =>
        tab.evaluate(({ cleans }) => dpop.makeKeys(1_000, cleans), { cleans: index === 0 }),
      ),
    )
    expect(one!.ids).toEqual(other!.ids)
    expect(new Set(one!.ids).size).toBe(1_000)
    // Otherwise nothing was shown: both have to have tried.
    expect(one!.late + other!.late).toBeGreaterThan(50)
  }, 240_000)

  it('no tab gets a key that a sign-out in another tab is about to remove', async () => {
    const { open } = await setUp()
    const tabs = [await open(), await open()] as const
    for (const tab of tabs) {
      await tab.evaluate(() => {
        globalThis.shared = dpop.shareSession()
      })
    }
    const [here, there] = tabs
    for (let round = 0; round < 20; round++) {
      const before = await here.evaluate(() => shared.signIn())
      await there.waitForFunction(
        (key) => shared.auth.session && shared.auth.getAccessToken().then((token) => token === key),
        before,
      )
      await here.evaluate(() => shared.auth.signOut())
      await there.waitForFunction(() => shared.auth.state === 'loggedOut')
      const [mine, theirs] = await Promise.all(tabs.map((tab) => tab.evaluate(() => shared.key())))
      expect(mine).not.toBe(before)
      expect(theirs).toBe(mine)
    }
  })

  it('a session of a page of another origin is bound to a key that outlives the page', async () => {
    const { server, front, open } = await setUp()
    const page = await open()
    await page.evaluate(async () => {
      globalThis.session = dpop.createSession()
      globalThis.api = dpop.fetchFor(session)
      await session.signIn({ username: 'ada' })
    })
    const get = (target: string, method = 'GET') =>
      page.evaluate(
        async ([url, method]) => {
          const response = await api(url!, { method: method! })
          return [response.status, response.redirected]
        },
        [front.url + target, method],
      )
    expect(await get('/api/a')).toEqual([200, false])
    server.expireAccessTokens()
    front.changeNonces()
    expect(await get('/api/b', 'POST')).toEqual([200, false])
    expect(front.verdicts()).toEqual([
      'POST /token nonce',
      'POST /token ok',
      'GET /api/a nonce',
      'GET /api/a ok',
      'POST /api/b nonce',
      'POST /api/b ok',
      'POST /token nonce',
      'POST /token ok',
      'POST /api/b ok',
    ])

    // Only the browser can follow a redirect here, with the proof for the URL before.
    front.checked.length = 0
    expect(await get('/api/redirect?to=/api/end')).toEqual([200, false])
    expect(front.verdicts()).toEqual([
      'GET /api/redirect?to=/api/end ok',
      'GET /api/end htu',
      'GET /api/end ok',
    ])

    front.checked.length = 0
    await page.reload()
    await page.waitForFunction(() => 'dpop' in globalThis)
    await page.evaluate(async () => {
      globalThis.session = dpop.createSession()
      globalThis.api = dpop.fetchFor(session)
      await session.ready()
      await session.refresh()
    })
    expect(await get('/api/c')).toEqual([200, false])
    expect(new Set(front.checked.map(({ verdict }) => verdict))).toEqual(new Set(['ok', 'nonce']))

    await page.evaluate(() => session.signOut())
    const left = () =>
      page.evaluate(async () => {
        const database = await new Promise<IDBDatabase>((resolve) => {
          const request = indexedDB.open('authchart-dpop')
          request.onsuccess = () => resolve(request.result)
        })
        const [name] = database.objectStoreNames
        return new Promise((resolve) => {
          const request = database.transaction(name!).objectStore(name!).count()
          request.onsuccess = () => resolve(request.result)
        })
      })
    await vi.waitUntil(async () => (await left()) === 0, { timeout: 15_000 })
  }, 180_000)

  it('a key that was cleared with site data while the page is open ends the session as key_lost', async () => {
    const { front, open } = await setUp()
    const page = await open()
    const reason = await page.evaluate(async () => {
      const session = dpop.createSession()
      await session.signIn({ username: 'ada' })
      await new Promise((resolve) => {
        indexedDB.deleteDatabase('authchart-dpop').onsuccess = resolve
      })
      return session.refresh().catch((error) => error.reason)
    })
    expect(reason).toBe('key_lost')
    expect(front.verdicts()).toEqual(['POST /token nonce', 'POST /token ok'])
  }, 180_000)

  it('a key that was cleared with site data ends the session as key_lost', async () => {
    const { front, open } = await setUp()
    const page = await open()
    await page.evaluate(async () => {
      await dpop.createSession().signIn({ username: 'ada' })
    })
    await page.evaluate(
      () =>
        new Promise((resolve) => {
          indexedDB.deleteDatabase('authchart-dpop').onsuccess = resolve
        }),
    )
    await page.reload()
    await page.waitForFunction(() => 'dpop' in globalThis)
    front.checked.length = 0
    const reason = await page.evaluate(async (url) => {
      const session = dpop.createSession()
      await session.ready()
      return dpop
        .fetchFor(session)(url)
        .catch((error) => error.reason)
    }, `${front.url}/api/a`)
    expect(reason).toBe('key_lost')
    expect(front.checked.filter(({ path }) => path === '/token')).toEqual([])
  }, 180_000)

  it('with the session in a worker, the page makes no proof and sends nothing itself', async () => {
    const { server, front, open, script } = await setUp()
    const page = await open()
    const sent: string[] = []
    page.on('request', (request) => sent.push(request.url()))
    const statuses = await page.evaluate(
      async ([script, url]) => {
        const auth = dpop.connect(script!)
        const api = dpop.fetchFor(auth)
        await auth.signIn({ username: 'ada' })
        const first = await api(`${url}/api/a`)
        const second = await api(`${url}/api/b`, { method: 'POST', body: 'text' })
        return [first.status, second.status]
      },
      [script, front.url],
    )
    expect(statuses).toEqual([200, 200])
    server.expireAccessTokens()
    expect(front.verdicts()).toEqual([
      'POST /token nonce',
      'POST /token ok',
      'GET /api/a nonce',
      'GET /api/a ok',
      'POST /api/b ok',
    ])
    expect(sent.filter((url) => url.startsWith(front.url))).toEqual([])
  }, 180_000)
})
