/** An example that is built by Vite and served together with the token server, and a Chromium to open it in. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import { type AliasOptions, build, mergeConfig, preview, type UserConfig } from 'vite'
import { createExampleServer } from '../../examples/common/server.ts'
import { apiAt } from '../../examples/common/vite.ts'
import { launchChromium } from '../support/chromium.ts'
import { watchPage } from './watch.ts'

export interface HarnessOptions {
  /** The folder under `examples/`. */
  readonly example: string
  /** Replacement versions of packages, by the paths of their folders. */
  readonly versions?: Readonly<Record<string, string>>
}

export interface OpenOptions extends BrowserContextOptions {
  /** Runs before a page is opened. */
  readonly prepare?: (context: BrowserContext) => unknown
}

/** The timeout of each wait, in milliseconds: shorter than that of a test. */
const PATIENCE = 10_000

const versionAliases = (versions: Readonly<Record<string, string>>): AliasOptions =>
  Object.entries(versions).map(([name, folder]) => ({
    find: new RegExp(`^${name}(?=/|$)`),
    replacement: folder,
  }))

export async function createHarness({ example, versions = {} }: HarnessOptions) {
  const { default: config } = (await import(`../../examples/${example}/vite.config.ts`)) as {
    default: UserConfig
  }
  const outDir = await mkdtemp(join(tmpdir(), `authchart-${example}-`))
  await build({
    // Use the development builds, whose additional warnings should fail the tests.
    ...mergeConfig(config, {
      mode: 'development',
      // Leave the devtools panel out, because only listeners of the app are counted.
      define: { 'process.env.NODE_ENV': '"development"', 'import.meta.env.DEV': 'false' },
      resolve: { alias: versionAliases(versions) },
      logLevel: 'warn',
    }),
    configFile: false,
    build: { outDir, emptyOutDir: true, minify: false, target: 'es2022' },
  })
  const server = createExampleServer()
  const api = await server.listen()
  const site = await preview({
    configFile: false,
    logLevel: 'silent',
    build: { outDir },
    preview: { port: 0, host: '127.0.0.1', proxy: apiAt(api.url) },
  })
  const origin = (site.resolvedUrls?.local[0] ?? '').replace(/\/$/, '')
  const browser = await launchChromium()
  /** Uncaught errors of pages, and warnings and errors of their consoles. */
  const problems: string[] = []

  async function open(context: BrowserContext, path = '/'): Promise<Page> {
    context.setDefaultTimeout(PATIENCE)
    const page = await context.newPage()
    page.on('pageerror', ({ stack, message }) => problems.push(stack ?? message))
    page.on('console', (line) => {
      // Chromium logs every error response by itself. The server ends sessions on purpose here.
      const isExpected = /^(?:Failed to load resource|authchart: The first refresh of this session)/.test(
        line.text(),
      )
      if (/warning|error/.test(line.type()) && !isExpected) problems.push(line.text())
    })
    await page.addInitScript(watchPage)
    await page.goto(origin + path)
    return page
  }

  return {
    server,
    problems,

    /** Opens the example in a fresh profile. */
    async open(path?: string, { prepare, ...screen }: OpenOptions = {}) {
      const context = await browser.newContext(screen)
      await prepare?.(context)
      return open(context, path)
    },

    closePages: () => Promise.all(browser.contexts().map((context) => context.close())),

    async close() {
      await browser.close()
      await site.close()
      await api.close()
      await rm(outDir, { recursive: true, force: true })
    },
  }
}

export type Harness = Awaited<ReturnType<typeof createHarness>>
