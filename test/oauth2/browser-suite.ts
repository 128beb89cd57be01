import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, onTestFinished, vi } from 'vitest'
import { bundlePage } from '../support/bundle-page.ts'
import { launchChromium, launchPlainChromium, type PlainChromium } from '../support/chromium.ts'
import type { App, SetUp } from './app.page.ts'
import { createBrowser, type ProviderOptions, startProvider } from './provider.ts'

declare global {
  var app: App
}

/** How often what must never fail is repeated: `ROUNDS=1000 npx vitest run test/oauth2` for a measurement. */
export const ROUNDS = Number(process.env.ROUNDS ?? 10)

/** A site with an app on each of its pages, in Chromium. */
export function browserSuite({ isPlain = false } = {}) {
  let browser: Browser | PlainChromium
  let site: Server
  let origin: string
  let script: string
  let setUp: Partial<SetUp>

  beforeAll(async () => {
    script = await bundlePage(new URL('./app.page.ts', import.meta.url))
    site = createServer((request, response) => {
      if (request.url === '/page.js') response.setHeader('content-type', 'text/javascript').end(script)
      else if (request.url === '/favicon.ico') response.writeHead(204).end()
      else if (request.url?.startsWith('/elsewhere'))
        response.setHeader('content-type', 'text/html').end('<p>Another page')
      else {
        response
          .setHeader('content-type', 'text/html')
          .end(
            `<body><script>setUp = ${JSON.stringify(setUp)}</script><script type="module" src="/page.js"></script>`,
          )
      }
    })
    await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
    origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
    browser = isPlain ? await launchPlainChromium() : await launchChromium()
  }, 60_000)

  afterAll(async () => {
    await browser?.close()
    site?.closeAllConnections()
    site?.close()
  })

  /** Starts a provider and a profile of the browser. */
  async function start(options: ProviderOptions = {}, more: Partial<SetUp> = {}) {
    const server = await startProvider({
      redirectUris: [`${origin}/callback`],
      postLogoutRedirectUri: `${origin}/signed-out`,
      ...options,
    })
    setUp = { issuer: server.url, ...more }
    const profile: BrowserContext = 'profile' in browser ? browser.profile : await browser.newContext()
    if (!('profile' in browser)) onTestFinished(() => profile.close())
    const logs: string[] = []
    profile.on('console', (line) => void logs.push(line.text()))
    profile.on('weberror', (error) => void logs.push(`uncaught: ${error.error().message}`))
    return {
      server,
      profile,
      logs,
      change: (changes: Partial<SetUp>) => {
        setUp = { ...setUp, ...changes }
      },
      async open(path = '/'): Promise<Page> {
        const page = await profile.newPage()
        await page.goto(origin + path)
        await loaded(page)
        return page
      },
      /** Starts a sign-in in a page, and returns the answer that would be sent to it. */
      async answer(page: Page): Promise<string> {
        const start = await page.evaluate(async () => (await app.oauth.authorizationUrl()).href)
        return (await createBrowser()(new URL(start), `${origin}/callback`)).href
      },
    }
  }

  return { start, origin: () => origin }
}

export const loaded = (page: Page) => page.waitForFunction(() => 'app' in globalThis)

/** Waits until a sign-in has settled. Returns the user or the reason. */
export async function resultOf(page: Page): Promise<string | undefined> {
  await vi.waitUntil(() => page.evaluate(() => globalThis.app?.result() !== undefined).catch(() => false), {
    interval: 10,
    timeout: 60_000,
  })
  return page.evaluate(() => app.result())
}

export const subjectOf = (page: Page) =>
  page.evaluate(async () => {
    await app.auth.ready()
    return app.auth.session?.subject
  })
