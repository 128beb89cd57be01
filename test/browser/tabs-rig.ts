import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { build } from 'esbuild'
import type { Page } from 'playwright-core'
import { launchChromium } from '../support/chromium.ts'

declare global {
  var tab: typeof import('./tabs-page.ts').tab
}

/** A browser, and a site to open tabs at. */
export async function createTabsRig() {
  const bundle = await build({
    entryPoints: [new URL('./tabs-page.ts', import.meta.url).pathname],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
  })
  const script = bundle.outputFiles[0]?.text ?? ''
  const site = createServer((request, response) => {
    if (request.url === '/page.js') response.setHeader('content-type', 'text/javascript').end(script)
    else response.setHeader('content-type', 'text/html').end('<script type="module" src="/page.js"></script>')
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
  const browser = await launchChromium()
  /** What pages threw that nobody caught. */
  const problems: string[] = []

  return {
    problems,

    /** Opens so many tabs of one new profile. `prepare` runs in each before anything else. */
    async open(tabs: number, prepare?: () => void): Promise<Page[]> {
      const context = await browser.newContext()
      if (prepare) await context.addInitScript(prepare)
      const open = async () => {
        const page = await context.newPage()
        page.on('pageerror', (error) => problems.push(error.message))
        await page.goto(origin)
        await page.waitForFunction(() => 'tab' in globalThis)
        return page
      }
      return Promise.all(Array.from({ length: tabs }, open))
    },

    closeTabs: () => Promise.all(browser.contexts().map((context) => context.close())),

    async close() {
      await browser.close()
      site.closeAllConnections()
      site.close()
    },
  }
}

export type TabsRig = Awaited<ReturnType<typeof createTabsRig>>
