/** What the suites of sessions in a worker have in common. */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import type { TokenServerOptions } from '../../src/testing/token-server/options.ts'
import type { PageOptions } from './worker-page.ts'
import { type Api, createApi, createWorkerRig, type WorkerRig, type WorkerRigOptions } from './worker-rig.ts'
import type { WorkerSettings } from './worker-script.ts'

export interface OpenOptions extends PageOptions {
  readonly worker?: Omit<WorkerSettings, 'api'>
  /** Whether to sign ada in. Default: yes. */
  readonly signIn?: boolean
}

export function workerSuite(options: WorkerRigOptions = {}) {
  let rig: WorkerRig
  let api: Api
  let open: () => Promise<Page>

  beforeAll(async () => {
    rig = await createWorkerRig(options)
  }, 60_000)
  afterAll(() => rig?.close())
  afterEach(async () => {
    await rig.closeTabs()
    api?.close()
    expect(rig.problems.splice(0)).toEqual([])
  })

  return {
    rig: () => rig,

    /** A server of the test's own, and a new profile. */
    async serve(serverOptions: TokenServerOptions = {}, prepare?: () => void): Promise<Api> {
      api = await createApi(serverOptions)
      open = (await rig.profile(prepare)).open
      return api
    },

    /** Opens a page that connects to the worker. */
    async connected({ worker = {}, signIn = true, ...pageOptions }: OpenOptions = {}): Promise<Page> {
      const opened = await open()
      await opened.evaluate(([settings, options]) => void page.connect(settings, options), [
        { api: api.url, ...worker },
        pageOptions,
      ] as const)
      if (signIn) await opened.evaluate(() => auth.signIn({ username: 'ada' }).then(() => {}))
      return opened
    },

    /** Opens a page that does nothing yet. */
    blank: () => open(),
  }
}

/** Waits for a condition in the page. By a timer, for a page in the background draws no frames. */
export const until = async <T>(opened: Page, condition: (given: T) => unknown, given?: T) => {
  await opened.waitForFunction(condition as (given: unknown) => unknown, given, { polling: 20 })
}
