import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type BuildResult, build } from 'esbuild'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'

declare global {
  var testingScenarios: typeof import('./page.ts').scenarios
}

const bundle = (): Promise<BuildResult<{ write: false }>> =>
  build({
    entryPoints: [new URL('./page.ts', import.meta.url).pathname],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
    logLevel: 'silent',
  })

it('the token server can be bundled for browsers without warnings and without Node modules', async () => {
  const { warnings, outputFiles } = await bundle()
  expect(warnings).toEqual([])
  expect(outputFiles[0]?.text).not.toContain('node:')
})

describe.skipIf(!hasChromium)('in Chromium', () => {
  let browser: Browser
  let pages: Server
  let page: Page

  beforeAll(async () => {
    const { outputFiles } = await bundle()
    pages = createServer((request, response) => {
      if (request.url === '/page.js')
        response.setHeader('content-type', 'text/javascript').end(outputFiles[0]?.text)
      else
        response.setHeader('content-type', 'text/html').end('<script type="module" src="/page.js"></script>')
    })
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve))
    browser = await launchChromium()
    page = await browser.newPage()
    await page.goto(`http://127.0.0.1:${(pages.address() as AddressInfo).port}`)
    await page.waitForFunction(() => 'testingScenarios' in globalThis)
  }, 180_000)

  afterAll(async () => {
    await browser?.close()
    pages?.closeAllConnections()
    pages?.close()
  })

  it('a session works in a page on the virtual clock, in process', async () => {
    expect(await page.evaluate(() => testingScenarios.session())).toEqual({
      scheduledRefreshes: 12,
      status: 200,
      refreshes: 13,
      reuseDetections: 0,
      expiredTokenUses: 1,
      pending: 0,
    })
  })

  it('listen rejects in a page with a TypeError that names the alternatives', async () => {
    expect(await page.evaluate(() => testingScenarios.listen())).toBe(
      'TypeError: createTokenServer: listen() needs Node, Deno or Bun. Here, use server.fetch or server.handle.',
    )
  })

  it('a page can keep its session in a cookie of a server on the same site', async () => {
    const server = createTokenServer()
    await using listening = await server.listen()
    const subject = await page.evaluate((url) => testingScenarios.cookie(url), listening.url)
    expect(subject).toBe('ada')
    expect(server).toMatchObject({ refreshes: 2, revocations: 1, reuseDetections: 0 })
    expect(server.log.at(-1)).toMatchObject({ path: '/token', status: 400 })
    expect(server.log.at(-1)?.headers).not.toHaveProperty('cookie')
  })
})
