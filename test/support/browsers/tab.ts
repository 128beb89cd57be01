/** What the suites for all engines use of a browser. Playwright's own browsers, contexts and pages have it. */
import type { Cookie, Page } from 'playwright-core'

export interface Tab extends Pick<Page, 'url' | 'evaluate'> {
  goto(url: string): Promise<unknown>
  reload(): Promise<unknown>
  /** Resolves at the latest when the earlier page has loaded. */
  goBack(options?: { readonly waitUntil?: 'commit' | 'load' }): Promise<unknown>
  close(): Promise<void>
  context(): Profile
}

/** Tabs that share cookies and stores. */
export interface Profile {
  newPage(): Promise<Tab>
  pages(): readonly Tab[]
  /** The cookies that requests for a URL contain. */
  cookies(url: string): Promise<Cookie[]>
  /** Only if `canGoOffline`. */
  setOffline(offline: boolean): Promise<void>
  close(): Promise<void>
}

export interface Browser {
  newContext(): Promise<Profile>
  contexts(): readonly Profile[]
  close(): Promise<void>
}

/** A tab with all that Playwright can do, for tests that run in Chromium only. */
export function pageOf(tab: Tab): Page {
  if (!('locator' in tab)) throw new TypeError('Playwright does not drive this tab.')
  return tab as Page
}
