/** Two ways to put a tab to sleep. */
import { processOf } from '../support/browsers/crash.ts'
import { pageOf, type Tab } from '../support/browsers/tab.ts'

/** Prepares a tab. Returns a function that puts it to sleep at once, which returns a function that wakes it. */
export type SleepMode = (tab: Tab) => Promise<() => Promise<() => Promise<unknown>>>

/** Freezes the tab, as browsers do with background tabs. The page receives an event. */
export const frozen: SleepMode = async (tab) => {
  const page = pageOf(tab)
  const devtools = await page.context().newCDPSession(page)
  const setState = (state: 'frozen' | 'active') => devtools.send('Page.setWebLifecycleState', { state })
  return async () => {
    await setState('frozen')
    return () => setState('active')
  }
}

/** Stops the whole process, as when the machine sleeps. The page receives no event. Only on Linux. */
export const stopped: SleepMode = async (tab) => {
  const renderer = await processOf(tab)
  return async () => {
    process.kill(renderer, 'SIGSTOP')
    return async () => process.kill(renderer, 'SIGCONT')
  }
}
