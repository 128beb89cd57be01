/** Two ways to put a tab to sleep. */
import { readdir, readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'

/** Prepares a tab. Returns a function that puts it to sleep at once, which returns a function that wakes it. */
export type SleepMode = (page: Page) => Promise<() => Promise<() => Promise<unknown>>>

/** Freezes the tab, as browsers do with background tabs. The page receives an event. */
export const frozen: SleepMode = async (page) => {
  const devtools = await page.context().newCDPSession(page)
  const setState = (state: 'frozen' | 'active') => devtools.send('Page.setWebLifecycleState', { state })
  return async () => {
    await setState('frozen')
    return () => setState('active')
  }
}

/** Stops the whole process, as when the machine sleeps. The page receives no event. Only on Linux. */
export const stopped: SleepMode = async (page) => {
  const renderer = await rendererOf(page)
  return async () => {
    process.kill(renderer, 'SIGSTOP')
    return async () => process.kill(renderer, 'SIGCONT')
  }
}

/** Finds the process of a page: it is the one that has a worker of the page as a thread. */
async function rendererOf(page: Page): Promise<number> {
  const devtools = await page.context().browser()?.newBrowserCDPSession()
  if (!devtools) throw new Error('The page has no browser to query.')
  const worker = await page.evaluateHandle(
    () =>
      new Promise<Worker>((resolve) => {
        const made = new Worker(URL.createObjectURL(new Blob(['postMessage(0)'])))
        made.onmessage = () => resolve(made)
      }),
  )
  const { processInfo } = await devtools.send('SystemInfo.getProcessInfo')
  const working = await Promise.all(processInfo.map(async ({ id }) => ((await hasWorker(id)) ? [id] : [])))
  await worker.evaluate((made) => made.terminate())
  const [renderer, ...others] = working.flat()
  if (renderer === undefined || others.length > 0)
    throw new Error('The process of the page cannot be identified.')
  return renderer
}

async function hasWorker(id: number): Promise<boolean> {
  const tasks = await readdir(`/proc/${id}/task`).catch(() => [])
  const names = tasks.map((task) => readFile(`/proc/${id}/task/${task}/comm`, 'utf8').catch(() => ''))
  return (await Promise.all(names)).some((name) => name.startsWith('DedicatedWorker'))
}
