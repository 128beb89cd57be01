/** Ways in which a tab falls asleep. */
import type { CDPSession, Page } from 'playwright-core'
import { vi } from 'vitest'

/** Makes ready for a tab to fall asleep; gives what puts it to sleep, all of it and at once, which gives what wakes it. */
export type Bed = (page: Page) => Promise<() => Promise<() => Promise<unknown>>>

/** As browsers do with tabs that nobody looks at. The page hears of it. */
export const frozen: Bed = async (page) => {
  const devtools = await page.context().newCDPSession(page)
  const become = (state: 'frozen' | 'active') => devtools.send('Page.setWebLifecycleState', { state })
  return async () => {
    await become('frozen')
    return () => become('active')
  }
}

/** As when a machine sleeps: the whole process stands still, and nobody hears of it. */
export const stopped: Bed = async (page) => {
  const renderer = await rendererOf(page)
  return async () => {
    process.kill(renderer, 'SIGSTOP')
    return async () => process.kill(renderer, 'SIGCONT')
  }
}

/** The process that runs a page is the one that works when the page does, each time it does. */
async function rendererOf(page: Page): Promise<number> {
  const devtools = await page.context().browser()?.newBrowserCDPSession()
  if (!devtools) throw new Error('There is no browser to ask.')
  let last: number | undefined
  return vi.waitUntil(
    async () => {
      const busiest = await busiestDuring(devtools, () =>
        page.evaluate(() => {
          const end = performance.now() + 100
          while (performance.now() < end);
        }),
      )
      const found = busiest === last && busiest
      last = busiest
      return found
    },
    { interval: 0, timeout: 15_000 },
  )
}

/** The renderer that worked far more than all others meanwhile, where there is one. */
async function busiestDuring(devtools: CDPSession, work: () => Promise<void>) {
  const before = await workOf(devtools)
  await work()
  const after = await workOf(devtools)
  const [first, second] = [...after]
    .map(([id, time]) => ({ id, worked: time - (before.get(id) ?? 0) }))
    .sort((one, other) => other.worked - one.worked)
  return first && first.worked > 2 * (second?.worked ?? 0) ? first.id : undefined
}

/** The time that each renderer has worked, in seconds. */
async function workOf(devtools: CDPSession) {
  const { processInfo } = await devtools.send('SystemInfo.getProcessInfo')
  const renderers = processInfo.filter(({ type }) => type === 'renderer')
  return new Map(renderers.map(({ id, cpuTime }) => [id, cpuTime]))
}
