import { describe, expect, it } from 'vitest'
import type { Tab } from '../support/browsers/tab.ts'
import { hasChromium } from '../support/chromium.ts'
import { frozen, type SleepMode, stopped } from './sleep.ts'
import type { TabOptions } from './tab-session.ts'
import { past, tabsSuite, until } from './tabs-suite.ts'

/** The lifetime of access tokens, in milliseconds. */
const LIFETIME = 2_000
/** Tokens are refreshed at the last moment, so that there is time to fall asleep. */
const LATE: TabOptions['auth'] = { refreshAhead: 50 }

const MODES: [string, SleepMode][] = [['frozen by the browser', frozen]]
if (process.platform === 'linux')
  MODES.push(['stopped with its process, as when the machine sleeps,', stopped])

describe.skipIf(!hasChromium).each(MODES)('a tab that is %s', (_, mode) => {
  const { serve, open, start, signIn, untilExpired, requests } = tabsSuite({ plain: true })

  const refreshCalls = (page: Tab) => page.evaluate(() => tab.refreshCalls())
  const result = (page: Tab) => page.evaluate(() => tab.result())

  /** Starts requests that run as soon as the sleeping tab runs again. */
  const requestAtOnce = (page: Tab, path: string, times: number) =>
    page.evaluate(([path, times]) => tab.startRequests(path, times), [path, times] as const)

  it('uses the tokens that another tab refreshed twice meanwhile before it sends its first request', async () => {
    const server = await serve()
    const [sleeper, other] = (await open(2)) as [Tab, Tab]
    const fallAsleep = await mode(sleeper)
    // Only the first token expires: those of the other tab are valid when the sleeper wakes.
    await signIn([sleeper, other], { lifetime: LIFETIME, auth: LATE })
    await sleeper.evaluate(() => tab.requestOnWake('/api/first', 10))
    const own = await refreshCalls(sleeper)
    const wake = await fallAsleep()
    await untilExpired()
    await other.evaluate(() => tab.refresh())
    await other.evaluate(() => tab.refresh())
    const calls = own + (await refreshCalls(other))
    const requested = mode === stopped && requestAtOnce(sleeper, '/api/first', 10)
    await wake()
    await requested
    expect(await result(sleeper)).toBe('200')
    expect(await refreshCalls(sleeper)).toBe(own)
    expect(server).toMatchObject({ tokenRequests: calls, reuseDetections: 0, expiredTokenUses: 0 })
    expect(requests('/api/first')).toHaveLength(10)
  })

  it('refreshes once when it wakes and is the only tab', async () => {
    const server = await serve({ accessTokenLifetime: LIFETIME })
    const [sleeper] = await open(1)
    const fallAsleep = await mode(sleeper)
    await signIn([sleeper], { auth: LATE })
    await sleeper.evaluate(() => tab.requestOnWake('/api/first', 10))
    const wake = await fallAsleep()
    const { refreshes } = server
    await past(Date.now() + LIFETIME)
    expect(server.refreshes, 'refreshes while it sleeps').toBe(refreshes)
    const requested = mode === stopped && requestAtOnce(sleeper, '/api/first', 10)
    await wake()
    await requested
    expect(await result(sleeper)).toBe('200')
    expect(server).toMatchObject({ refreshes: refreshes + 1, reuseDetections: 0, expiredTokenUses: 0 })
    expect(requests('/api/first')).toHaveLength(10)
  })

  it('keeps its session in sessionStorage, which a duplicated tab has copied', async () => {
    const server = await serve()
    const [sleeper, copy] = (await open(2)) as [Tab, Tab]
    const fallAsleep = await mode(sleeper)
    await signIn([sleeper], { store: 'tab', coordinated: false })
    const entries = await sleeper.evaluate(() => ({ ...sessionStorage }))
    const wake = await fallAsleep()
    await copy.evaluate((entries) => void Object.assign(sessionStorage, entries), entries)
    expect(await start(copy, { store: 'tab', coordinated: false })).toBe('authenticated')
    await copy.evaluate(() => tab.startRefresh())
    expect(await result(copy)).toBe('SignedOutError')
    await wake()
    await sleeper.evaluate(() => tab.refresh())
    expect(server).toMatchObject({ refreshes: 1, reuseDetections: 0 })
  })

  describe('during a refresh, with the lock', () => {
    const IMPATIENT: TabOptions['auth'] = { timeouts: { lock: 300 } }

    async function asleepDuringRefresh() {
      const server = await serve({ reuseGrace: 60_000 })
      const [sleeper, other] = (await open(2)) as [Tab, Tab]
      const fallAsleep = await mode(sleeper)
      await signIn([sleeper, other], { auth: IMPATIENT })
      server.expireAccessTokens()
      const held = server.holdNext()
      await sleeper.evaluate(() => tab.startRequests('/api/sleeper'))
      await held.arrived
      const wake = await fallAsleep()
      return { server, sleeper, other, held, wake }
    }

    it('delays another tab no longer than timeouts.lock, and uses the tokens of that tab when it wakes', async () => {
      const { server, sleeper, other, held, wake } = await asleepDuringRefresh()
      expect(await other.evaluate(() => tab.request('/api/other'))).toBe('200')
      held.drop()
      await wake()
      expect(await result(sleeper)).toBe('200')
      expect(await refreshCalls(sleeper)).toBe(1)
      expect(await sleeper.evaluate(() => tab.token())).toBe(await other.evaluate(() => tab.token()))
      expect(server).toMatchObject({ tokenRequests: 2, refreshes: 1, reuseDetections: 0 })
    })

    it('shares one session again after both tabs got tokens within the grace period of the server', async () => {
      const { server, sleeper, other, held, wake } = await asleepDuringRefresh()
      held.answer()
      expect(await other.evaluate(() => tab.request('/api/other'))).toBe('200')
      await wake()
      expect(await result(sleeper)).toBe('200')
      await other.evaluate(() => tab.refresh())
      const token = await other.evaluate(() => tab.token())
      await until(sleeper, async (token) => (await tab.token()) === token, token)
      await sleeper.evaluate(() => tab.refresh())
      expect(await other.evaluate(() => tab.request('/api/other'))).toBe('200')
      expect(server.reuseDetections).toBe(0)
    })
  })
})
