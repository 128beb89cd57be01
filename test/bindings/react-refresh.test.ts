import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { createServer, mergeConfig, type Plugin, type ViteDevServer } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import reactExample from '../../examples/react/vite.config.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'

declare global {
  var sameDocument: boolean | undefined
}

describe.skipIf(!hasChromium)('the React example on a development server', () => {
  let cacheDir: string
  let server: ViteDevServer
  let browser: Browser
  let title = 'Reading list'

  /** Somebody who edits a file. */
  const editor: Plugin = {
    name: 'editor',
    enforce: 'pre',
    transform: (code, id) => (id.endsWith('/desk.tsx') ? code.replace('Reading list', title) : undefined),
  }

  beforeAll(async () => {
    cacheDir = await mkdtemp(join(tmpdir(), 'authchart-vite-'))
    const config = mergeConfig(reactExample, {
      cacheDir,
      plugins: [editor],
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

  it('keeps the session, and who listens to it, when a component is edited', async () => {
    const page = await browser.newPage()
    const problems: string[] = []
    page.on('pageerror', ({ message }) => problems.push(message))
    page.on('console', (line) => {
      if (line.type() === 'error' && !line.text().startsWith('Failed to load')) problems.push(line.text())
    })
    await page.goto(server.resolvedUrls?.local[0] ?? '')
    await page.getByTestId('username').fill('ada')
    await page.getByTestId('password').fill('correct')
    await page.getByTestId('sign-in').click()
    await page.getByTestId('load').click()
    await page.getByText('Solaris').waitFor()
    const epoch = await page.evaluate(() => {
      globalThis.sameDocument = true
      return example.auth.session?.epoch
    })

    title = 'Reading list, edited'
    const module = await server.moduleGraph.getModuleByUrl('/desk.tsx')
    expect(module).toBeDefined()
    if (module) await server.reloadModule(module)
    await page.getByRole('heading', { name: 'Reading list, edited' }).waitFor()

    expect(await page.evaluate(() => globalThis.sameDocument)).toBe(true)
    expect(await page.evaluate(() => example.auth.session?.epoch)).toBe(epoch)
    expect(await page.getByTestId('user').textContent()).toBe('ada')
    await page.getByText('Solaris').waitFor()
    await page.getByTestId('sign-out').click()
    await page.getByTestId('view-signed-out').waitFor()
    expect(problems).toEqual([])
  })
})
