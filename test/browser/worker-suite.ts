/** The common set-up of the suites for sessions in a worker. */
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import type { TokenServerOptions } from '../../src/testing/token-server/options.ts'
import type { Tab } from '../support/browsers/tab.ts'
import { until } from '../support/browsers/until.ts'
import {
  type Api,
  createApi,
  createWorkerHarness,
  type WorkerHarness,
  type WorkerHarnessOptions,
} from './worker-harness.ts'
import type { PageOptions } from './worker-page.ts'
import type { WorkerSettings } from './worker-script.ts'

export interface OpenOptions extends PageOptions {
  readonly worker?: Omit<WorkerSettings, 'api'>
  /** Whether the user ada is signed in. Default: `true`. */
  readonly signIn?: boolean
}

export function workerSuite(options: WorkerHarnessOptions = {}) {
  let harness: WorkerHarness
  let api: Api
  let open: () => Promise<Tab>

  beforeAll(async () => {
    harness = await createWorkerHarness(options)
  }, 60_000)
  afterAll(() => harness?.close())
  afterEach(async () => {
    await harness.closeTabs()
    api?.close()
    expect(harness.problems.splice(0)).toEqual([])
  })

  return {
    harness: () => harness,

    /** Creates a server and a browser profile for this test. */
    async serve(serverOptions: TokenServerOptions = {}, prepare?: () => void): Promise<Api> {
      api = await createApi(serverOptions)
      open = (await harness.profile(prepare)).open
      return api
    },

    /** Opens a page that connects to the worker. */
    async connected({ worker = {}, signIn = true, ...pageOptions }: OpenOptions = {}): Promise<Tab> {
      const opened = await open()
      await opened.evaluate(([settings, options]) => void page.connect(settings, options), [
        { api: api.url, ...worker },
        pageOptions,
      ] as const)
      if (signIn) await opened.evaluate(() => auth.signIn({ username: 'ada' }).then(() => {}))
      return opened
    },

    /** Opens a page that does not connect yet. */
    blank: () => open(),
  }
}

export { until }
