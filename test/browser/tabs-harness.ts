import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { build } from 'esbuild'
import type { BrowserContext, Page } from 'playwright-core'
import { launchChromium, launchPlainChromium } from '../support/chromium.ts'

declare global {
  var tab: typeof import('./tabs-page.ts').tab
}

/** Creates the site that the tabs open. */
async function createSite() {
  const bundle = await build({
    entryPoints: [new URL('./tabs-page.ts', import.meta.url).pathname],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
  })
  const script = bundle.outputFiles[0]?.text ?? ''
  const site = createServer(({ url }, response) => {
    response.setHeader('access-control-allow-origin', '*')
    if (url === '/sandboxed') response.setHeader('content-security-policy', 'sandbox allow-scripts')
    if (url === '/page.js') response.setHeader('content-type', 'text/javascript').end(script)
    else if (url === '/elsewhere') response.setHeader('content-type', 'text/html').end('<p>Elsewhere</p>')
    else response.setHeader('content-type', 'text/html').end('<script type="module" src="/page.js"></script>')
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  return {
    port: (site.address() as AddressInfo).port,
    close() {
      site.closeAllConnections()
      site.close()
    },
  }
}

/** Starts a browser with any number of profiles, whose tabs are all in the foreground. */
async function profiles(port: number) {
  const browser = await launchChromium()
  return {
    newProfile: async () => ({ context: await browser.newContext(), origin: `http://127.0.0.1:${port}` }),
    closeTabs: () => Promise.all(browser.contexts().map((context) => context.close())),
    close: () => browser.close(),
  }
}

/** Starts a browser as users have it. It has one profile, so each new "profile" is another origin. */
async function plainProfile(port: number, preferences: object | undefined) {
  const { profile, close } = await launchPlainChromium(preferences)
  let opened = 0
  return {
    newProfile: async () => ({ context: profile, origin: `http://p${opened++}.localhost:${port}` }),
    closeTabs: () => Promise.all(profile.pages().map((page) => page.close())),
    close,
  }
}

export interface TabsHarnessOptions {
  /** Whether to start the browser as users have it, see `launchPlainChromium`. Default: with the settings of Playwright. */
  readonly plain?: boolean
  /** Preferences of a plain browser. */
  readonly preferences?: object
}

/** The tabs of one profile. */
export interface Tabs {
  readonly context: BrowserContext
  readonly origin: string
  open(path?: string): Promise<Page>
}

/** Starts a browser and a site that its tabs open. */
export async function createTabsHarness({ plain = false, preferences }: TabsHarnessOptions = {}) {
  const site = await createSite()
  const browser = await (plain ? plainProfile(site.port, preferences) : profiles(site.port))
  /** The uncaught errors of all pages. */
  const problems: string[] = []

  /** Creates a profile. `prepare` runs in each of its tabs before any other script. */
  async function profile(prepare?: () => void): Promise<Tabs> {
    const { context, origin } = await browser.newProfile()
    return {
      context,
      origin,
      async open(path = '/') {
        const page = await context.newPage()
        page.on('pageerror', (error) => problems.push(error.message))
        if (prepare) await page.addInitScript(prepare)
        await page.goto(origin + path)
        await page.waitForFunction(() => 'tab' in globalThis)
        return page
      },
    }
  }

  return {
    problems,
    profile,

    /** Opens tabs in a new profile. `prepare` runs in each before any other script. */
    async open(tabs: number, prepare?: () => void): Promise<Page[]> {
      const { open } = await profile(prepare)
      return Promise.all(Array.from({ length: tabs }, () => open()))
    },

    closeTabs: () => browser.closeTabs(),

    async close() {
      await browser.close()
      site.close()
    },
  }
}

export type TabsHarness = Awaited<ReturnType<typeof createTabsHarness>>
