import { launchBrowser, launchPlainBrowser } from '../support/browsers/launch.ts'
import type { Profile, Tab } from '../support/browsers/tab.ts'
import { openTab } from '../support/browsers/until.ts'
import { bundlePage } from '../support/bundle-page.ts'
import { createSite } from '../support/site.ts'

declare global {
  var tab: typeof import('./tabs-page.ts').tab
}

/** Starts a browser with any number of profiles, whose tabs are all in the foreground. */
async function profiles(port: number) {
  const browser = await launchBrowser()
  return {
    newProfile: async () => ({ context: await browser.newContext(), origin: `http://127.0.0.1:${port}` }),
    closeTabs: () => Promise.all(browser.contexts().map((context) => context.close())),
    close: () => browser.close(),
  }
}

/** Starts a browser as users have it. It has one profile, so each new "profile" is another origin. */
async function plainProfile(port: number, preferences: object | undefined) {
  const { profile, close } = await launchPlainBrowser(preferences)
  let opened = 0
  return {
    newProfile: async () => ({ context: profile, origin: `http://p${opened++}.localhost:${port}` }),
    closeTabs: () => Promise.all(profile.pages().map((page) => page.close())),
    close,
  }
}

export interface TabsHarnessOptions {
  /** Whether to start the browser as users have it, see `launchPlainBrowser`. Default: with the settings of Playwright. */
  readonly plain?: boolean
  /** Preferences of a plain browser. */
  readonly preferences?: object | undefined
}

/** The tabs of one profile. */
export interface Tabs {
  readonly context: Profile
  readonly origin: string
  open(path?: string): Promise<Tab>
}

/** Starts a browser and a site that its tabs open. */
export async function createTabsHarness({ plain = false, preferences }: TabsHarnessOptions = {}) {
  const site = await createSite(await bundlePage(new URL('./tabs-page.ts', import.meta.url)))
  const browser = await (plain ? plainProfile(site.port, preferences) : profiles(site.port))

  /** Creates a profile. `prepare` runs in each of its tabs before any other script. */
  async function profile(prepare?: () => void): Promise<Tabs> {
    site.prepare(...(prepare ? [prepare] : []))
    const { context, origin } = await browser.newProfile()
    return {
      context,
      origin,
      open: (path = '/') => openTab(context, origin + path, () => 'tab' in globalThis),
    }
  }

  return {
    /** The uncaught errors of all pages. */
    problems: site.problems,
    profile,

    /** Opens tabs in a new profile. `prepare` runs in each before any other script. */
    async open(tabs: number, prepare?: () => void): Promise<Tab[]> {
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
