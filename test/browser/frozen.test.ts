import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { type Bed, frozen, stopped } from './sleep.ts'
import type { TabOptions } from './tab-session.ts'
import { past, tabsSuite, until } from './tabs-suite.ts'

/** How long access tokens live, in milliseconds. */
const LIFETIME = 2_000
/** They are renewed at the last moment, so that there is time to fall asleep. */
const LATE: TabOptions['auth'] = { refreshAhead: 50 }

const BEDS: [string, Bed][] = [['frozen by the browser', frozen]]
if (process.platform === 'linux')
  BEDS.push(['stopped with its process, as when the machine sleeps,', stopped])

describe.skipIf(!hasChromium).each(BEDS)('a tab that is %s', (_, bed) => {
  const { serve, open, signIn, untilDead, requests } = tabsSuite({ plain: true })

  const refreshCalls = (page: Page) => page.evaluate(() => tab.refreshCalls())
  const result = (page: Page) => page.evaluate(() => tab.result())

  /** Requests that go as soon as anything goes in a tab that sleeps. */
  const askAtOnce = (page: Page, path: string, times: number) =>
    page.evaluate(([path, times]) => tab.startAsking(path, times), [path, times] as const)

  it('takes over what another tab renewed meanwhile, twice, before its first request goes', async () => {
    const server = await serve()
    const [sleeper, other] = (await open(2)) as [Page, Page]
    const fallAsleep = await bed(sleeper)
    // Only the first one dies: what the other tab gets is good when the sleeper wakes.
    await signIn([sleeper, other], { lifetime: LIFETIME, auth: LATE })
    await sleeper.evaluate(() => tab.askOnWaking('/api/first', 10))
    const own = await refreshCalls(sleeper)
    const wake = await fallAsleep()
    await untilDead()
    await other.evaluate(() => tab.refresh())
    await other.evaluate(() => tab.refresh())
    const calls = own + (await refreshCalls(other))
    const asked = bed === stopped && askAtOnce(sleeper, '/api/first', 10)
    await wake()
    await asked
    expect(await result(sleeper)).toBe('200')
    expect(await refreshCalls(sleeper)).toBe(own)
    expect(server).toMatchObject({ tokenRequests: calls, reuseDetections: 0, expiredTokenUses: 0 })
    expect(requests('/api/first')).toHaveLength(10)
  })

  it('renews once when it wakes and is the only one', async () => {
    const server = await serve({ accessTokenLifetime: LIFETIME })
    const [sleeper] = await open(1)
    const fallAsleep = await bed(sleeper)
    await signIn([sleeper], { auth: LATE })
    await sleeper.evaluate(() => tab.askOnWaking('/api/first', 10))
    const wake = await fallAsleep()
    const { refreshes } = server
    await past(Date.now() + LIFETIME)
    expect(server.refreshes, 'it sleeps').toBe(refreshes)
    const asked = bed === stopped && askAtOnce(sleeper, '/api/first', 10)
    await wake()
    await asked
    expect(await result(sleeper)).toBe('200')
    expect(server).toMatchObject({ refreshes: refreshes + 1, reuseDetections: 0, expiredTokenUses: 0 })
    expect(requests('/api/first')).toHaveLength(10)
  })

  describe('while it renews and holds the lock', () => {
    const IMPATIENT: TabOptions['auth'] = { timeouts: { lock: 300 } }

    async function asleepInExchange() {
      const server = await serve({ reuseGrace: 60_000 })
      const [sleeper, other] = (await open(2)) as [Page, Page]
      const fallAsleep = await bed(sleeper)
      await signIn([sleeper, other], { auth: IMPATIENT })
      server.expireAccessTokens()
      const held = server.holdNext()
      await sleeper.evaluate(() => tab.startAsking('/api/sleeper'))
      await held.arrived
      const wake = await fallAsleep()
      return { server, sleeper, other, held, wake }
    }

    it('keeps nobody waiting for longer than timeouts.lock, and uses what it finds when it wakes', async () => {
      const { server, sleeper, other, held, wake } = await asleepInExchange()
      expect(await other.evaluate(() => tab.ask('/api/other'))).toBe('200')
      held.drop()
      await wake()
      expect(await result(sleeper)).toBe('200')
      expect(await refreshCalls(sleeper)).toBe(1)
      expect(await sleeper.evaluate(() => tab.token())).toBe(await other.evaluate(() => tab.token()))
      expect(server).toMatchObject({ tokenRequests: 2, refreshes: 1, reuseDetections: 0 })
    })

    it('shares one session again after both got tokens, within the grace period of the server', async () => {
      const { server, sleeper, other, held, wake } = await asleepInExchange()
      held.answer()
      expect(await other.evaluate(() => tab.ask('/api/other'))).toBe('200')
      await wake()
      expect(await result(sleeper)).toBe('200')
      await other.evaluate(() => tab.refresh())
      const token = await other.evaluate(() => tab.token())
      await until(sleeper, async (token) => (await tab.token()) === token, token)
      await sleeper.evaluate(() => tab.refresh())
      expect(await other.evaluate(() => tab.ask('/api/other'))).toBe('200')
      expect(server.reuseDetections).toBe(0)
    })
  })
})
