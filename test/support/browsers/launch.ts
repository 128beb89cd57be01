/** Starts the browser of this run. */
import { fileURLToPath } from 'node:url'
import { firefox } from 'playwright-core'
import { launchChromium, launchPlainChromium } from '../chromium.ts'
import { ENGINE, programOf } from './engine.ts'
import type { Browser, Profile } from './tab.ts'
import { launchWebKit } from './webkit.ts'

type Preferences = Readonly<Record<string, string | number | boolean>>

/** Playwright turns the back/forward cache off, and gives tabs of one site one process. */
const FIREFOX_AS_USUAL: Preferences = {
  'fission.bfcacheInParent': true,
  'browser.sessionhistory.max_total_viewers': -1,
  'dom.ipc.processCount.webIsolated': 8,
}

/** Starts `programOf('firefox')` without the settings by which a crashed tab ends the whole browser. */
const FIREFOX = fileURLToPath(new URL('./firefox.sh', import.meta.url))

function launchFirefox(preferences: Preferences = {}): Promise<Browser> {
  programOf('firefox')
  return firefox.launch({
    channel: 'moz-firefox',
    executablePath: FIREFOX,
    firefoxUserPrefs: { ...FIREFOX_AS_USUAL, ...preferences },
  })
}

/** Starts a browser with any number of profiles, whose tabs are all in the foreground. */
export async function launchBrowser(): Promise<Browser> {
  if (ENGINE === 'firefox') return launchFirefox()
  return ENGINE === 'webkit' ? launchWebKit() : launchChromium()
}

/** A browser as users have it: with a back/forward cache, and in Chromium with tabs in the background. */
export interface PlainBrowser {
  /** The only profile. */
  readonly profile: Profile
  close(): Promise<void>
}

/** @param preferences in Chromium the content of the profile's `Preferences` file, in Firefox the preferences of `about:config` */
export async function launchPlainBrowser(preferences?: object): Promise<PlainBrowser> {
  if (ENGINE === 'chromium') return launchPlainChromium(preferences)
  const browser = await (ENGINE === 'firefox' ? launchFirefox(preferences as Preferences) : launchWebKit())
  return { profile: await browser.newContext(), close: () => browser.close() }
}
