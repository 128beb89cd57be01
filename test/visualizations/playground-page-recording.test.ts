import { describe, expect, it } from 'vitest'
import { exported } from '../devtools/panel.ts'
import { hasChromium } from '../support/chromium.ts'
import { playgroundSuite, refreshing, TEST_TIME } from './playground-page.ts'

/** The counters of a hundred requests in no stage. */
const BURST = { requests: 100, inFlight: 0, held: 0, replayed: 0, done: 0, rejected: 0 }

describe.skipIf(!hasChromium)('the recording of the playground', { timeout: TEST_TIME }, () => {
  const { open } = playgroundSuite()

  /** Opens a page with an expired token, and sends requests that are answered after one refresh. */
  async function openAfterRefresh() {
    const tab = await open()
    await tab.signIn()
    await tab.expire()
    const refresh = tab.server.holdNext()
    await tab.press('burst')
    await tab.counted('held', 100)
    refresh.answer()
    await tab.statusIs('100 of 100 answered.')
    await tab.counted('done', 100)
    return tab
  }

  type Opened = Awaited<ReturnType<typeof open>>

  /** Everything that the panel shows. */
  const shownBy = async ({ panel }: Pick<Opened, 'panel'>) => ({
    states: await panel.litStates(),
    counters: await panel.counters(),
    lanes: await panel.lanes(),
    transitions: await panel
      .part('.edge[data-active]')
      .evaluateAll((edges) => edges.map((edge) => edge.getAttribute('data-transition'))),
  })

  /** Goes back to the first hold, and returns what the panel shows. */
  async function goToFirstHold(tab: Opened) {
    await tab.event('requestHeld').click()
    await tab.counted('done', 0)
    const held = await shownBy(tab)
    expect(held.states).toEqual(refreshing('requesting', 'closed'))
    expect(held.counters).toEqual({ ...BURST, held: 100 })
    expect(new Set(held.lanes)).toEqual(new Set(['held: sent held']))
    return held
  }

  it('shows the states and the requests of past moments', async () => {
    await using tab = await openAfterRefresh()
    const { panel, page } = tab
    await tab.entry('refreshing.gate.closed').click()
    await panel.lit('refreshing.gate.closed').waitFor()
    expect(await panel.lit('authenticated').count()).toBe(0)
    await panel.filter('chart').click()
    const closing = tab.event('request.unauthorized').first()
    await closing.click()
    await tab.counted('done', 0)
    expect(await panel.isLive()).toBe(false)
    const closed = await shownBy(tab)
    expect(closed.states).toEqual(refreshing('requesting', 'closed'))
    expect(closed.transitions).toEqual(['authenticated.refreshable -> refreshing.gate.closed'])
    // The request with the 401 closes the gate a moment before it is held itself.
    const { inFlight = 0, held = 0 } = closed.counters
    expect(closed.counters).toEqual({ ...BURST, inFlight, held })
    expect(inFlight + held).toBe(100)
    expect(new Set(closed.lanes)).toEqual(new Set(['sent: sent']))
    await goToFirstHold(tab)

    // The slider shows the same.
    await closing.click()
    const moment = await panel.slider.inputValue()
    await panel.moveTo(0)
    await tab.counted('requests', 0)
    await panel.moveTo(Number(moment))
    await tab.counted('requests', 100)
    expect(await shownBy(tab)).toEqual(closed)
    expect(await closing.getAttribute('aria-selected')).toBe('true')

    // New events are not shown meanwhile, but they are recorded.
    await tab.pressAndWait('request', 'GET /api/books: 1 of 1 answered.')
    expect(await shownBy(tab)).toEqual(closed)
    await panel.live.click()
    await tab.counted('done', 101)
    expect(await panel.litStates()).toEqual(['authenticated', 'authenticated.refreshable'])
    expect(await panel.isLive()).toBe(true)
    expect(await page.locator('.edge[data-active]').count()).toBe(0)
  })

  it('is exported without secrets, and can be loaded after a reload of the page', async () => {
    await using tab = await openAfterRefresh()
    const { page, panel, server } = tab
    const held = await goToFirstHold(tab)
    const { name, text } = await exported(page)
    expect(name).toMatch(/recording\.json$/)
    const tokens = server.log
      .flatMap(({ authorization, bodyText }) => [
        authorization?.replace(/^Bearer /, ''),
        new URLSearchParams(bodyText).get('refresh_token'),
      ])
      .filter((token) => typeof token === 'string')
    expect(new Set(tokens).size).toBe(3)
    expect(tokens.filter((token) => text.includes(token))).toEqual([])

    await page.reload()
    await tab.panel.unfold()
    await panel.lit('authenticated.refreshable').waitFor()
    expect(await panel.counters()).toMatchObject({ requests: 0 })
    await panel.load('yesterday.json', text)
    await panel.banner.filter({ hasText: 'Showing yesterday.json.' }).waitFor()
    await tab.counted('done', 100)
    expect(await goToFirstHold(tab)).toEqual(held)
    await panel.moveTo(0)
    await tab.counted('requests', 0)

    await panel.button('Back to the session').click()
    await panel.lit('authenticated.refreshable').waitFor()
    expect(await panel.counters()).toMatchObject({ requests: 0 })
    expect(await panel.isLive()).toBe(true)
    await tab.pressAndWait('request', 'GET /api/books: 1 of 1 answered.')
    await tab.counted('done', 1)
  })

  it('can be filtered by category and by text', async () => {
    await using tab = await openAfterRefresh()
    const { panel } = tab
    const all = await panel.events()
    expect(all).not.toContain('session.signIn')
    await panel.filter('chart').click()
    await tab.event('session.signIn').waitFor()
    await panel.filter('chart').click()
    await expect.poll(panel.events).toEqual(all)
    for (const kind of ['states', 'requests', 'trouble']) await panel.filter(kind).click()
    await expect.poll(panel.events).toEqual(['refreshed', 'signedIn'])
    await panel.filter('states').click()
    await panel.search.fill('gate.closed')
    await expect.poll(panel.events).toEqual(['transition'])
    await tab.entry('refreshing.gate.closed').waitFor()
    await panel.search.fill('nothing of the kind')
    await panel.part('.log .empty').filter({ hasText: 'Nothing to show.' }).waitFor()
    await panel.search.fill('')
    for (const kind of ['requests', 'trouble']) await panel.filter(kind).click()
    await expect.poll(panel.events).toEqual(all)
  })
})
