import { vi } from 'vitest'
import type { Profile, Tab } from './tab.ts'

const PATIENCE = { interval: 20, timeout: 60_000 }

/**
 * Waits until a condition holds in a tab. The condition is polled from the test, because a hidden tab runs its timers only
 * once a second, and a frozen tab not at all.
 */
export async function until<A>(tab: Tab, condition: (argument: A) => unknown, argument: A): Promise<void>
export async function until(tab: Tab, condition: () => unknown): Promise<void>
export async function until<A>(tab: Tab, condition: (argument: A | undefined) => unknown, argument?: A) {
  const check = () => tab.evaluate<boolean, A | undefined>(condition as () => boolean, argument)
  await vi.waitUntil(check, PATIENCE)
}

const shows = (tab: Tab, isThere: () => unknown) =>
  vi.waitUntil(() => tab.evaluate(isThere).catch(() => false), PATIENCE)

/**
 * Opens a page in a new tab, and waits until a condition holds there. The driver of Firefox misses one load in some hundreds: the
 * page is there, and `goto` never resolves. So the page itself says when it is there.
 */
export async function openTab(profile: Profile, url: string, isThere: () => unknown): Promise<Tab> {
  const tab = await profile.newPage()
  const there = shows(tab, isThere)
  await Promise.race([there, tab.goto(url).then(() => there)])
  return tab
}

/**
 * Goes back to an earlier page, and waits until a condition holds there. Not every driver notices that a page is back that it
 * did not have to load, so this does not wait for the driver.
 */
export async function goBackTo(tab: Tab, isThere: () => unknown): Promise<void> {
  void tab.goBack({ waitUntil: 'commit' }).catch(() => {})
  await shows(tab, isThere)
}

interface NotRestored extends PerformanceEntry {
  readonly notRestoredReasons?: { readonly reasons: readonly { readonly reason: string }[] } | null
}

/** Runs in a page: why Chromium did not restore it from the back/forward cache; `null` if it did. */
export const notRestored = () => {
  const [entry] = performance.getEntriesByType('navigation') as NotRestored[]
  return entry?.notRestoredReasons?.reasons ?? null
}
