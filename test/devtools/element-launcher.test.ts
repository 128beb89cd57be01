import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { panelOf } from './panel.ts'
import { siteSuite } from './site-suite.ts'

describe.skipIf(!hasChromium)('<authchart-devtools>', () => {
  const { open } = siteSuite()

  /** The text of the focused element of the panel. */
  const focused = (page: Page) =>
    page.evaluate(() => place.element()?.shadowRoot?.activeElement?.textContent ?? undefined)

  it('opens with its launcher, closes with its Close button or the Escape key, and moves the focus', async () => {
    const page = await open()
    await page.evaluate(() => place.show())
    const panel = panelOf(page)
    const launcher = panel.part('.launcher')
    const dock = page.getByRole('region', { name: 'authchart devtools' })
    await launcher.filter({ hasText: 'authchart: anonymous' }).waitFor()
    expect(await dock.isVisible()).toBe(false)
    await page.evaluate(() => place.signIn())
    await launcher.filter({ hasText: 'authchart: authenticated' }).waitFor()

    await launcher.press('Enter')
    await panel.lit('authenticated').waitFor()
    expect(await page.evaluate(() => place.element().open)).toBe(true)
    expect(await launcher.isVisible()).toBe(false)
    expect(await focused(page)).toBe('Close')
    await page.keyboard.press('Enter')
    expect(await dock.isVisible()).toBe(false)
    expect(await focused(page)).toBe('authchart: authenticated')

    await launcher.click()
    await panel.part('[data-event=signedIn]').click()
    await expect.poll(panel.isLive).toBe(false)
    await page.keyboard.press('Escape')
    await expect.poll(panel.isLive).toBe(true)
    expect(await dock.isVisible()).toBe(true)
    await page.keyboard.press('Escape')
    expect(await dock.isVisible()).toBe(false)
    expect(await focused(page)).toBe('authchart: authenticated')
    // Outside the panel, the Escape key belongs to the page.
    await page.getByRole('heading', { name: 'A page' }).click()
    await page.evaluate(() => {
      place.element().open = true
    })
    await dock.waitFor()
    await page.keyboard.press('Escape')
    expect(await dock.isVisible()).toBe(true)
    expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true)
  })

  it('has a place of its own beside other launchers, after some were removed and in a shadow root', async () => {
    const page = await open()
    /** The distances of the launchers from the bottom of the window, by the names of their sessions. */
    const places = () =>
      page.evaluate(() => {
        const all = [
          document,
          ...[...document.querySelectorAll('*')].flatMap((each) => each.shadowRoot ?? []),
        ]
        const elements = all.flatMap((root) => [...root.querySelectorAll('authchart-devtools')])
        const below = elements.map((element) => {
          const launcher = element.shadowRoot?.querySelector<HTMLElement>('.launcher')
          return [element.getAttribute('name'), launcher?.style.insetBlockEnd]
        })
        return Object.fromEntries(below)
      })
    await page.evaluate(() => {
      place.show({ name: 'staff' })
      place.show({ name: 'customer' }, 1)
    })
    expect(await places()).toEqual({ staff: '12px', customer: '60px' })
    // As when one of two modules is replaced during development.
    await page.evaluate(() => {
      place.element().remove()
      place.show({ name: 'staff' })
    })
    expect(await places()).toEqual({ customer: '12px', staff: '60px' })
    await page.evaluate(() => {
      const host = document.createElement('div')
      document.body.append(host)
      host.attachShadow({ mode: 'open' }).append(place.element())
    })
    expect(await places()).toEqual({ staff: '12px', customer: '60px' })
    await page.evaluate(() => place.element().setAttribute('inline', ''))
    expect(await places()).toMatchObject({ customer: '12px' })
  })

  it('stays open if it is inline', async () => {
    const page = await open()
    await page.evaluate(() => {
      place.define()
      place.add(0)
    })
    const panel = panelOf(page)
    await panel.log.waitFor({ state: 'attached' })
    await panel.search.focus()
    await page.keyboard.press('Escape')
    await panel.lit('anonymous').waitFor()
    expect(await panel.button('Close').isVisible()).toBe(false)
    expect(await panel.part('.launcher').isVisible()).toBe(false)
    expect(await page.evaluate(() => getComputedStyle(place.element()).display)).toBe('block')
  })

  it('takes a step for each key and each click, even without a frame between them', async () => {
    const page = await open()
    await page.evaluate(async () => {
      place.define()
      place.add(0)
      await place.signIn()
    })
    const panel = panelOf(page)
    await panel.part('[data-event=signedIn]').waitFor()
    await panel.log.evaluate((log) => {
      for (let presses = 0; presses < 3; presses++)
        log.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowDown', bubbles: true, composed: true }))
    })
    await expect.poll(panel.active).toBe(2)
    await panel.live.click()
    await expect.poll(panel.isLive).toBe(true)
    const end = Number(await panel.slider.inputValue())
    await panel.button('One moment back').evaluate((back) => {
      for (let presses = 0; presses < 3; presses++) (back as HTMLElement).click()
    })
    await expect.poll(() => panel.slider.inputValue()).toBe(String(end - 3))
  })

  it('does not pass its own keys to the page', async () => {
    const page = await open()
    await page.evaluate(() => {
      const received: string[] = []
      document.addEventListener('keydown', ({ key }) => received.push(key))
      Object.assign(globalThis, { received })
      place.show({ open: true })
    })
    const panel = panelOf(page)
    const received = () => page.evaluate(() => (globalThis as unknown as { received: string[] }).received)
    await panel.search.focus()
    await page.keyboard.type('jk')
    await page.keyboard.press('Escape')
    expect(await panel.search.inputValue()).toBe('')
    expect(await page.evaluate(() => place.element().open)).toBe(true)
    await page.keyboard.press('Escape')
    expect(await page.evaluate(() => place.element().open)).toBe(false)
    expect(await received()).toEqual([])
    await page.keyboard.press('Escape')
    expect(await received()).toEqual(['Escape'])
  })
})
