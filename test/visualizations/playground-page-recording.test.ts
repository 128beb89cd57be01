import { describe, expect, it } from 'vitest'
import { exported } from '../devtools/panel.ts'
import { hasChromium } from '../support/chromium.ts'
import { playgroundSuite, refreshing, TEST_TIME } from './playground-page.ts'

/** A hundred requests of which none has come anywhere. */
const BURST = { requests: 100, inFlight: 0, held: 0, replayed: 0, done: 0, rejected: 0 }

describe.skipIf(!hasChromium)('what happened in the playground', { timeout: TEST_TIME }, () => {
  const { open } = playgroundSuite()

  /** A page whose token has died, and whose requests were answered after one renewal. */
  async function lived() {
    const tab = await open()
    await tab.signIn()
    await tab.expire()
    const renewal = tab.server.holdNext()
    await tab.press('burst')
    await tab.counted('held', 100)
    renewal.answer()
    await tab.told('100 of 100 answered.')
    await tab.counted('done', 100)
    return tab
  }

  type Opened = Awaited<ReturnType<typeof open>>

  /** How everything stands in the panel. */
  const standing = async ({ panel }: Pick<Opened, 'panel'>) => ({
    states: await panel.litStates(),
    counters: await panel.counters(),
    lanes: await panel.lanes(),
    transitions: await panel
      .part('.edge[data-active]')
      .evaluateAll((edges) => edges.map((edge) => edge.getAttribute('data-transition'))),
  })

  /** Goes back to when requests began to wait; gives how everything stood then. */
  async function whenTheyWaited(tab: Opened) {
    await tab.event('requestHeld').click()
    await tab.counted('done', 0)
    const held = await standing(tab)
    expect(held.states).toEqual(refreshing('requesting', 'closed'))
    expect(held.counters).toEqual({ ...BURST, held: 100 })
    expect(new Set(held.lanes)).toEqual(new Set(['held: sent held']))
    return held
  }

  it('is gone back to: states are lit as they were, and requests are where they were', async () => {
    await using tab = await lived()
    const { panel, page } = tab
    await tab.entry('refreshing.gate.closed').click()
    await panel.lit('refreshing.gate.closed').waitFor()
    expect(await panel.lit('authenticated').count()).toBe(0)
    await panel.filter('chart').click()
    const closing = tab.event('request.unauthorized').first()
    await closing.click()
    await tab.counted('done', 0)
    expect(await panel.isLive()).toBe(false)
    const closed = await standing(tab)
    expect(closed.states).toEqual(refreshing('requesting', 'closed'))
    expect(closed.transitions).toEqual(['authenticated.renewable -> refreshing.gate.closed'])
    // The one that was refused closes the gate before it waits itself, if not for long.
    const { inFlight = 0, held = 0 } = closed.counters
    expect(closed.counters).toEqual({ ...BURST, inFlight, held })
    expect(inFlight + held).toBe(100)
    expect(new Set(closed.lanes)).toEqual(new Set(['sent: sent']))
    await whenTheyWaited(tab)

    // The same by the slider.
    await closing.click()
    const moment = await panel.slider.inputValue()
    await panel.moveTo(0)
    await tab.counted('requests', 0)
    await panel.moveTo(Number(moment))
    await tab.counted('requests', 100)
    expect(await standing(tab)).toEqual(closed)
    expect(await closing.getAttribute('aria-selected')).toBe('true')

    // What goes on meanwhile is not shown, nor is it lost.
    await tab.pressAndHear('request', 'GET /api/books: 1 of 1 answered.')
    expect(await standing(tab)).toEqual(closed)
    await panel.live.click()
    await tab.counted('done', 101)
    expect(await panel.litStates()).toEqual(['authenticated', 'authenticated.renewable'])
    expect(await panel.isLive()).toBe(true)
    expect(await page.locator('.edge[data-active]').count()).toBe(0)
  })

  it('is kept in a file without a secret, and shown from it when the page was loaded anew', async () => {
    await using tab = await lived()
    const { page, panel, server } = tab
    const held = await whenTheyWaited(tab)
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
    await panel.lit('authenticated.renewable').waitFor()
    expect(await panel.counters()).toMatchObject({ requests: 0 })
    await panel.load('yesterday.json', text)
    await panel.banner.filter({ hasText: 'Shown is yesterday.json.' }).waitFor()
    await tab.counted('done', 100)
    expect(await whenTheyWaited(tab)).toEqual(held)
    await panel.moveTo(0)
    await tab.counted('requests', 0)

    await panel.button('Back to the session').click()
    await panel.lit('authenticated.renewable').waitFor()
    expect(await panel.counters()).toMatchObject({ requests: 0 })
    expect(await panel.isLive()).toBe(true)
    await tab.pressAndHear('request', 'GET /api/books: 1 of 1 answered.')
    await tab.counted('done', 1)
  })

  it('is filtered by kind and by text', async () => {
    await using tab = await lived()
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
