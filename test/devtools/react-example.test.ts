import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { createServer, mergeConfig, type ViteDevServer } from 'vite'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import reactExample from '../../examples/react/vite.config.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { panelOf } from './panel.ts'

describe.skipIf(!hasChromium)('the React example on a development server', () => {
  let cacheDir: string
  let server: ViteDevServer
  let browser: Browser

  beforeAll(async () => {
    cacheDir = await mkdtemp(join(tmpdir(), 'authchart-vite-'))
    const config = mergeConfig(reactExample, {
      cacheDir,
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

  it('shows what its session does, in a panel that a button opens', async () => {
    const page = await browser.newPage()
    const problems: string[] = []
    page.on('pageerror', ({ message }) => problems.push(message))
    page.on('console', (line) => {
      if (/warning|error/.test(line.type()) && !line.text().startsWith('Failed to load'))
        problems.push(line.text())
    })
    await page.goto(server.resolvedUrls?.local[0] ?? '')
    const panel = panelOf(page)
    const launcher = page.getByRole('button', { name: /^authchart: / })
    await launcher.filter({ hasText: 'anonymous' }).waitFor()
    await page.getByTestId('username').fill('ada')
    await page.getByTestId('password').fill('correct')
    await page.getByTestId('sign-in').click()
    await launcher.filter({ hasText: 'authenticated' }).click()
    await panel.lit('authenticated.renewable').waitFor()
    expect(await panel.part('.subject').textContent()).toBe('ada')
    await panel.part('[data-event=signedIn]').waitFor()

    await panel.button('Close').click()
    await page.getByTestId('burst').click()
    await page.getByText('50 of 50 answered').waitFor()
    await launcher.click()
    await panel.part('[data-counter=done]').filter({ hasText: '50' }).waitFor()
    await panel.button('Close').click()
    await page.getByTestId('sign-out').click()
    await launcher.filter({ hasText: 'loggedOut' }).waitFor()
    expect(problems).toEqual([])
  })
})
