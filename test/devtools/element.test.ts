import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { expectNoBarriers } from '../bindings/barriers.ts'
import { hasChromium } from '../support/chromium.ts'
import { watchFootprint } from './footprint.ts'
import { panelOf } from './panel.ts'
import { siteSuite } from './site-suite.ts'

describe.skipIf(!hasChromium)('<authchart-devtools>', () => {
  const { open, server } = siteSuite()

  const nth = (page: Page, index: number) => panelOf(page.locator('authchart-devtools').nth(index))
  const theme = (page: Page) => panelOf(page).part('.root').getAttribute('data-theme')
  /** Where the focus is, in the panel. */
  const focused = (page: Page) =>
    page.evaluate(() => place.element()?.shadowRoot?.activeElement?.textContent ?? undefined)

  it('says that there is no session to look at, until it is given one', async () => {
    const page = await open()
    await page.evaluate(() => {
      place.define()
      place.define()
      place.add()
    })
    const panel = panelOf(page)
    await panel.part('.waiting').filter({ hasText: 'No session to look at yet.' }).waitFor()
    expect(await panel.part('.panel').count()).toBe(0)
    await page.evaluate(() => {
      place.element().auth = place.session().auth
    })
    await panel.lit('anonymous').waitFor()
    expect(await panel.part('.waiting').isHidden()).toBe(true)
  })

  it('finds the session that it was given before it was defined', async () => {
    const page = await open()
    await page.evaluate(() => {
      Object.assign(place.add(0, {}), { now: () => 0, open: true })
      place.define()
    })
    const panel = panelOf(page)
    await panel.lit('anonymous').waitFor()
    await page.evaluate(() => place.signIn())
    await panel.lit('authenticated').waitFor()
    // Years are to go by that clock.
    await panel
      .part('.countdown')
      .filter({ hasText: /^\d{5,} h/ })
      .waitFor()
    expect(await page.evaluate(() => Object.keys(place.element()))).toEqual([])
  })

  it('finds the session that it was given before it was in the page', async () => {
    const page = await open()
    await page.evaluate(async () => {
      await place.signIn()
      place.define()
      place.add(0)
    })
    const panel = panelOf(page)
    await panel.lit('authenticated').waitFor()
    // What happened before it was there, too.
    await expect.poll(panel.events).toContain('signedIn')
  })

  it('shows another session when it is given one, and none when that is taken away', async () => {
    const page = await open()
    await page.evaluate(async () => {
      await place.signIn(0)
      place.define()
      place.add(0)
    })
    const panel = panelOf(page)
    await panel.lit('authenticated').waitFor()
    await page.evaluate(() => {
      place.element().auth = place.session(1).auth
    })
    await panel.lit('anonymous').waitFor()
    expect(await panel.events()).not.toContain('signedIn')
    expect(await page.evaluate(() => [place.isWatched(0), place.isWatched(1)])).toEqual([false, true])
    await page.evaluate(() => place.signIn(1, 'grace'))
    await panel.lit('authenticated').waitFor()
    expect(await panel.part('.subject').textContent()).toBe('grace')

    await page.evaluate(() => {
      place.element().auth = undefined
    })
    await panel.part('.waiting').waitFor()
    expect(await panel.part('.panel').count()).toBe(0)
    expect(await page.evaluate(() => place.isWatched(1))).toBe(false)
    await page.evaluate(() => place.element().removeAttribute('inline'))
    expect(await panel.part('.launcher').textContent()).toBe('authchart')
  })

  it('shows nothing any more of a session that was taken away, though a file was still being read', async () => {
    const page = await open()
    await page.evaluate(async () => {
      await place.signIn()
      place.show({ open: true })
    })
    const panel = panelOf(page)
    await panel.lit('authenticated').waitFor()
    const launcher = await page.evaluate(async () => {
      const shadow = place.element().shadowRoot
      const input = shadow?.querySelector<HTMLInputElement>('input[type=file]')
      const given = new DataTransfer()
      given.items.add(new File(['[]'], 'history.json'))
      const read = given.files[0]?.text()
      if (input) input.files = given.files
      input?.dispatchEvent(new Event('change'))
      place.element().auth = undefined
      await read
      for (let frame = 0; frame < 2; frame++) await new Promise((resolve) => requestAnimationFrame(resolve))
      return shadow?.querySelector('.launcher')?.textContent
    })
    expect(launcher).toBe('authchart')
  })

  it('begins anew where it is put back into the page', async () => {
    const page = await open()
    await page.evaluate(async () => {
      place.define()
      const element = place.add(0)
      await place.signIn()
      element.remove()
      await place.ask(3)
      document.querySelector('main')?.append(element)
    })
    const panel = panelOf(page)
    await panel.lit('authenticated').waitFor()
    expect(await panel.counters()).toMatchObject({ requests: 0 })
    expect(await page.evaluate(() => place.ask(2))).toEqual(['200', '200'])
    await panel.part('[data-counter=done]').filter({ hasText: '2' }).waitFor()
    expect(await panel.part('.panel').count()).toBe(1)
  })

  it('shows two sessions in two elements, each its own', async () => {
    const page = await open()
    await page.evaluate(async () => {
      place.define()
      place.add(0)
      place.add(1, { inline: '', name: 'other' })
      await place.signIn(1)
      await place.ask(2, 1)
    })
    const [one, other] = [nth(page, 0), nth(page, 1)]
    await other.lit('authenticated').waitFor()
    expect(await one.litStates()).toEqual(['anonymous'])
    await other.part('[data-counter=done]').filter({ hasText: '2' }).waitFor()
    expect(await one.counters()).toMatchObject({ requests: 0 })
    await page.evaluate(() => place.element(0).remove())
    expect(await page.evaluate(() => [place.isWatched(0), place.isWatched(1)])).toEqual([false, true])
  })

  it('shows that a session was disposed of, and still what happened before', async () => {
    const page = await open()
    await page.evaluate(async () => {
      place.define()
      place.add(0)
      await place.signIn()
      place.session(0).auth.dispose()
      place.add(0, { inline: '', name: 'late' })
    })
    const [panel, late] = [nth(page, 0), nth(page, 1)]
    for (const one of [panel, late]) {
      await one.part('.badge').filter({ hasText: 'disposed' }).waitFor()
      expect(await one.part('.countdown').textContent()).toBe('')
      expect(await one.litStates()).toEqual([])
    }
    await panel.part('[data-event=signedIn]').click()
    await panel.lit('authenticating').waitFor()
    await page.keyboard.press('Escape')
    await panel.part('.badge').filter({ hasText: 'disposed' }).waitFor()
  })

  it('opens by its button and closes by its other one, or the Escape key, and the focus goes along', async () => {
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
    // Whose keys are the page's.
    await page.getByRole('heading', { name: 'A page' }).click()
    await page.evaluate(() => {
      place.element().open = true
    })
    await dock.waitFor()
    await page.keyboard.press('Escape')
    expect(await dock.isVisible()).toBe(true)
    expect(await page.evaluate(() => document.activeElement === document.body)).toBe(true)
  })

  it('stays open where it is part of the page', async () => {
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

  it('is light or dark as the system is, or as it is told, also while it is open', async () => {
    const page = await open('/', { colorScheme: 'dark' })
    await page.evaluate(() => place.show({ open: true }))
    const panel = panelOf(page)
    await panel.part('svg.authchart.dark').waitFor()
    expect(await theme(page)).toBe('dark')
    await page.emulateMedia({ colorScheme: 'light' })
    await panel.part('svg.authchart.light').waitFor()
    expect(await theme(page)).toBe('light')
    await page.evaluate(() => place.element().setAttribute('theme', 'dark'))
    await panel.part('svg.authchart.dark').waitFor()
    await page.emulateMedia({ colorScheme: 'dark' })
    await page.evaluate(() => place.element().setAttribute('theme', 'light'))
    await panel.part('svg.authchart.light').waitFor()
    // States stay lit in the chart that is drawn anew.
    await panel.lit('anonymous').waitFor()
    await page.evaluate(() => place.element().setAttribute('theme', 'sepia'))
    await panel.part('svg.authchart.dark').waitFor()
    const colors = await panel
      .part('.card')
      .first()
      .evaluate((card) => getComputedStyle(card).backgroundColor)
    expect(colors).toBe('rgb(13, 17, 23)')
  })

  it('lights up the arrows that the chart goes along, and none of what happened before it was there', async () => {
    const page = await open()
    const held = server().holdNext()
    await page.evaluate(async () => {
      await place.session().auth.ready()
      place.define()
      place.add(0)
    })
    const panel = panelOf(page)
    await panel.lit('anonymous').waitFor()
    await page.evaluate(() => void place.signIn())
    await held.arrived
    await panel.part('.edge[data-active]').first().waitFor()
    expect(await panel.litEdges()).toEqual(['* -> authenticating'])
    held.answer()
    await panel.lit('authenticated').waitFor()
  })

  it('takes a step for each key, and each press of a button, though there was no frame between them', async () => {
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

  it('keeps keys to itself that are meant for it', async () => {
    const page = await open()
    await page.evaluate(() => {
      const heard: string[] = []
      document.addEventListener('keydown', ({ key }) => heard.push(key))
      Object.assign(globalThis, { heard })
      place.show({ open: true })
    })
    const panel = panelOf(page)
    const heard = () => page.evaluate(() => (globalThis as unknown as { heard: string[] }).heard)
    await panel.search.focus()
    await page.keyboard.type('jk')
    await page.keyboard.press('Escape')
    expect(await panel.search.inputValue()).toBe('')
    expect(await page.evaluate(() => place.element().open)).toBe(true)
    await page.keyboard.press('Escape')
    expect(await page.evaluate(() => place.element().open)).toBe(false)
    expect(await heard()).toEqual([])
    await page.keyboard.press('Escape')
    expect(await heard()).toEqual(['Escape'])
  })

  it('neither moves the page that it is in nor takes over how it looks', async () => {
    const page = await open()
    const positions = () =>
      page.evaluate(() =>
        [...document.querySelectorAll('body > *:not(authchart-devtools)')].map((part) => {
          const { x, y, width, height } = part.getBoundingClientRect()
          return [x, y, width, height]
        }),
      )
    await page.evaluate(() => {
      const sheet = new CSSStyleSheet()
      sheet.replaceSync(`
        body { display: flex; gap: 40px; justify-content: space-between; margin: 0 }
        body { text-transform: uppercase; letter-spacing: 9px; font: italic 30px/3 serif; text-align: center }
        body { visibility: visible; white-space: pre; color: hotpink; cursor: wait; word-spacing: 1em; text-indent: 2em }
        div, section, button, h2, li { border: 9px solid hotpink !important; display: inline !important }
      `)
      document.adoptedStyleSheets = [sheet]
      document.body.append('end')
    })
    const before = await positions()
    await page.evaluate(() => place.show({ open: true }))
    const panel = panelOf(page)
    await panel.lit('anonymous').waitFor()
    expect(await positions()).toEqual(before)
    const look = await panel
      .part('h2')
      .first()
      .evaluate((heading) => {
        const {
          textTransform,
          letterSpacing,
          fontStyle,
          fontSize,
          textAlign,
          whiteSpace,
          textIndent,
          cursor,
          borderWidth,
          display,
        } = getComputedStyle(heading)
        return {
          textTransform,
          letterSpacing,
          fontStyle,
          fontSize,
          textAlign,
          whiteSpace,
          textIndent,
          cursor,
          borderWidth,
          display,
        }
      })
    expect(look).toEqual({
      textTransform: 'none',
      letterSpacing: 'normal',
      fontStyle: 'normal',
      fontSize: '13px',
      textAlign: 'start',
      whiteSpace: 'normal',
      textIndent: '0px',
      cursor: 'auto',
      borderWidth: '0px',
      display: 'block',
    })
  })

  it('has a button for each of two sessions, and tells them apart by name', async () => {
    const page = await open()
    await page.evaluate(async () => {
      place.show({ name: 'shop' }, 0)
      place.show({ name: 'desk' }, 1)
      await place.signIn(1)
    })
    await page.getByRole('button', { name: 'authchart shop: anonymous' }).click()
    await page.getByRole('region', { name: 'authchart shop devtools' }).waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'authchart desk: authenticated' }).click()
    await page.getByRole('region', { name: 'authchart desk devtools' }).waitFor()
    await nth(page, 1).lit('authenticated').waitFor()
  })

  it('leaves nothing behind when it is taken out, whatever it was doing', async () => {
    const page = await open('/', { prepare: watchFootprint })
    const counts = () => page.evaluate(() => footprint?.counts())
    await page.evaluate(() => place.signIn())
    const before = await counts()
    expect(before).toMatchObject({ frames: 0, observers: 0, subscriptions: 0 })
    await page.evaluate(() => place.show({ open: true }))
    const panel = panelOf(page)
    await panel.lit('authenticated').waitFor()
    expect(await counts()).toMatchObject({ observers: 2, listeners: Number(before?.listeners) + 1 })

    // Arrows flash, and a request is under way.
    const slow = server().holdApiNext()
    const answer = page.evaluate(() => place.ask(1))
    await slow.arrived
    await page.evaluate(() =>
      place
        .session()
        .auth.refresh()
        .then(() => {}),
    )
    await panel.part('.edge[data-active]').first().waitFor()
    const taken = await page.evaluate(() => {
      const during = footprint?.counts()
      place.hide()
      return { during, after: footprint?.counts(), resized: footprint?.resized() }
    })
    expect(taken.during).toMatchObject({ frames: 1 })
    expect(taken.during?.timers).toBeGreaterThan(before?.timers ?? 0)
    expect(taken.after).toEqual(before)
    expect(await page.evaluate(() => place.isWatched())).toBe(false)

    slow.answer()
    expect(await answer).toEqual(['200'])
    await page.evaluate(async () => {
      await place.session().auth.refresh()
      for (let frame = 0; frame < 3; frame++)
        await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
    })
    expect(await counts()).toEqual(before)
    expect(await page.evaluate(() => footprint?.resized())).toBe(taken.resized)
  })

  it('leaves nothing behind a hundred times, nor where one session takes the place of another', async () => {
    const page = await open('/', { prepare: watchFootprint })
    const counts = () => page.evaluate(() => footprint?.counts())
    await page.evaluate(async () => {
      await place.signIn(0)
      await place.signIn(1)
    })
    const before = await counts()
    await page.evaluate(async () => {
      for (let cycle = 0; cycle < 100; cycle++) {
        place.show({ open: cycle % 2 === 0 })
        place.element().auth = place.session(1).auth
        if (cycle % 10 === 0) await new Promise((resolve) => requestAnimationFrame(resolve))
        place.element().auth = undefined
        place.element().auth = place.session(0).auth
        place.hide()
      }
    })
    expect(await counts()).toEqual(before)
    expect(await page.evaluate(() => [place.isWatched(0), place.isWatched(1)])).toEqual([false, false])
  })

  it('is free of barriers, in the light and in the dark, on a desk and on a phone', async () => {
    for (const width of [1280, 390]) {
      const page = await open('/', { viewport: { width, height: 844 } })
      await page.evaluate(() => place.show())
      await panelOf(page).part('.launcher').waitFor()
      await expectNoBarriers(page)
      await page.evaluate(async () => {
        place.element().open = true
        await place.signIn()
      })
      server().expireAccessTokens()
      expect(await page.evaluate(() => place.ask(3))).toEqual(['200', '200', '200'])
      const panel = panelOf(page)
      await panel.part('[data-counter=done]').filter({ hasText: '3' }).waitFor()
      await panel.part('[data-event=signedIn]').click()
      await panel.chosen.waitFor()
      await expectNoBarriers(page)
      const overflow = await page.evaluate(() => {
        const { scrollWidth, clientWidth } = document.documentElement
        return scrollWidth - clientWidth
      })
      expect(overflow).toBe(0)
      await page.context().close()
    }
  })
})
