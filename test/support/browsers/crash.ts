/** Ends the process of a tab, as a crash or a system without memory does. */
import { readdir, readFile } from 'node:fs/promises'
import type { Tab } from './tab.ts'

/** How the engines name the thread of a worker. */
const WORKER = /^(DedicatedWorker|DOM Worker|WebCore: Worker)/

const namesIn = (folder: string) => readdir(folder).catch(() => [])
const read = (file: string) => readFile(file, 'utf8').catch(() => '')

/** The processes that this one has started, and those that they have started. */
async function descendants(): Promise<number[]> {
  const children = new Map<number, number[]>()
  for (const name of await namesIn('/proc')) {
    const parent = Number(/\) \S (\d+)/.exec(await read(`/proc/${name}/stat`))?.[1])
    if (parent > 0) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const found = [process.pid]
  for (const id of found) found.push(...(children.get(id) ?? []))
  return found.slice(1)
}

/** The threads of workers, with the process of each. */
async function workers(): Promise<Map<string, number>> {
  const found = new Map<string, number>()
  for (const id of await descendants()) {
    for (const thread of await namesIn(`/proc/${id}/task`))
      if (WORKER.test(await read(`/proc/${id}/task/${thread}/comm`))) found.set(thread, id)
  }
  return found
}

/** Finds the process of a tab: it is the one that has another thread once the page has a worker. Only on Linux. */
export async function processOf(tab: Tab): Promise<number> {
  const before = await workers()
  await tab.evaluate(
    () =>
      new Promise<void>((resolve) => {
        const worker = new Worker(URL.createObjectURL(new Blob(['postMessage(0)'])))
        worker.onmessage = () => resolve()
        Object.assign(globalThis, { keepsThread: worker })
      }),
  )
  const added = [...(await workers())].filter(([thread]) => !before.has(thread)).map(([, id]) => id)
  await tab.evaluate(() => (globalThis as unknown as { keepsThread: Worker }).keepsThread.terminate())
  const [id, ...others] = new Set(added)
  if (id === undefined || others.length > 0) throw new Error('The process of the tab cannot be identified.')
  return id
}

/** Ends the process of a tab at once. The page notices nothing, and cannot clean up. */
export async function crash(tab: Tab): Promise<void> {
  process.kill(await processOf(tab), 'SIGKILL')
}
