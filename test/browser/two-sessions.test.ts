import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  createTokenServer,
  type ListeningTokenServer,
  type TokenServer,
} from '../../src/testing/token-server/token-server.ts'
import { hasBrowser } from '../support/browsers/engine.ts'
import { until } from '../support/browsers/until.ts'
import { createTabsHarness, type TabsHarness } from './tabs-harness.ts'
import type { TabOptions } from './tabs-page.ts'

describe.skipIf(!hasBrowser)('two sessions of one origin that share a coordinator by mistake', () => {
  let harness: TabsHarness
  let server: TokenServer
  let listening: ListeningTokenServer

  beforeAll(async () => {
    harness = await createTabsHarness()
    server = createTokenServer()
    listening = await server.listen()
  }, 180_000)

  afterAll(() => Promise.all([harness?.close(), listening?.close()]))

  afterEach(async () => {
    await harness.closeTabs()
    expect(harness.problems.splice(0)).toEqual([])
  })

  it.each<[string, TabOptions, TabOptions]>([
    ['under two keys', { key: 'customer' }, { key: 'staff' }],
    ['in the sessionStorage of two tabs', { store: 'tab' }, { store: 'tab' }],
  ])('%s: the sign-out of one does not end the other', async (_, ...options) => {
    const [customer, staff] = await harness.open(2)
    for (const [index, page] of [customer!, staff!].entries()) {
      const opened = [listening.url, options[index] as TabOptions] as const
      await page.evaluate(([url, options]) => tab.open(url, options), opened)
    }
    await customer!.evaluate(() => tab.signIn('ada'))
    // The session that began later would end the earlier one of a shared store.
    await staff!.evaluate(() => tab.signIn('grace'))
    await staff!.evaluate(() => tab.signOut())
    await until(staff!, () => tab.state() === 'loggedOut')
    // The answer to a request comes later than a message between two tabs.
    await customer!.evaluate(() => tab.refresh())
    expect(await customer!.evaluate(() => [tab.state(), tab.subject(), tab.history()])).toEqual([
      'authenticated',
      'ada',
      ['signedIn', 'refreshed'],
    ])
    expect(await customer!.evaluate(() => tab.request('/api/still'))).toBe('200')
  })
})
