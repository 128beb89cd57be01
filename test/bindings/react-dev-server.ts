import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { createServer, mergeConfig, type Plugin, type ViteDevServer } from 'vite'
import { afterAll, beforeAll } from 'vitest'
import reactExample from '../../examples/react/vite.config.ts'
import { launchChromium } from '../support/chromium.ts'

/** Serves the React example to Chromium, like `npm run example react`, for the tests of a suite. */
export function reactDevServer({ plugins = [] }: { readonly plugins?: Plugin[] } = {}) {
  let cacheDir: string
  let server: ViteDevServer
  let browser: Browser

  beforeAll(async () => {
    cacheDir = await mkdtemp(join(tmpdir(), 'authchart-vite-'))
    const config = mergeConfig(reactExample, {
      cacheDir,
      plugins,
      logLevel: 'warn',
      server: { port: 0, host: '127.0.0.1' },
    })
    server = await createServer({ ...config, configFile: false })
    await server.listen()
    browser = await launchChromium()
  }, 60_000)
  afterAll(async () => {
    await browser?.close()
    await server?.close()
    await rm(cacheDir, { recursive: true, force: true })
  })

  return {
    get server() {
      return server
    },
    /** Opens the example. Records uncaught errors, and console lines of the given kinds. */
    async open(kinds = /^error$/) {
      const page = await browser.newPage()
      const problems: string[] = []
      page.on('pageerror', ({ message }) => problems.push(message))
      page.on('console', (line) => {
        if (kinds.test(line.type()) && !line.text().startsWith('Failed to load')) problems.push(line.text())
      })
      await page.goto(server.resolvedUrls?.local[0] ?? '')
      return { page, problems }
    },
  }
}
