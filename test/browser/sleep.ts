/** Ways in which a tab falls asleep. */
import { readdir, readFile } from 'node:fs/promises'
import type { Page } from 'playwright-core'

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

/** As when a machine sleeps: the whole process stands still, and nobody hears of it. For Linux. */
export const stopped: Bed = async (page) => {
  const renderer = await rendererOf(page)
  return async () => {
    process.kill(renderer, 'SIGSTOP')
    return async () => process.kill(renderer, 'SIGCONT')
  }
}

/** The process that runs a page, which is the one in which a worker of the page is a thread. */
async function rendererOf(page: Page): Promise<number> {
  const devtools = await page.context().browser()?.newBrowserCDPSession()
  if (!devtools) throw new Error('There is no browser to ask.')
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
  if (renderer === undefined || others.length > 0) throw new Error('The process of the page cannot be told.')
  return renderer
}

async function hasWorker(id: number): Promise<boolean> {
  const tasks = await readdir(`/proc/${id}/task`).catch(() => [])
  const names = tasks.map((task) => readFile(`/proc/${id}/task/${task}/comm`, 'utf8').catch(() => ''))
  return (await Promise.all(names)).some((name) => name.startsWith('DedicatedWorker'))
}
