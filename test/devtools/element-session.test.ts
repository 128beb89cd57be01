import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { panelOf } from './panel.ts'
import { siteSuite } from './site-suite.ts'

describe.skipIf(!hasChromium)('<authchart-devtools>', () => {
  const { open, server } = siteSuite()

  const nth = (page: Page, index: number) => panelOf(page.locator('authchart-devtools').nth(index))

  it('shows a message until it gets a session', async () => {
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

  it('uses a session that was set before the element was defined', async () => {
    const page = await open()
    await page.evaluate(() => {
      Object.assign(place.add(0, {}), { now: () => 0, open: true })
      place.define()
    })
    const panel = panelOf(page)
    await panel.lit('anonymous').waitFor()
    await page.evaluate(() => place.signIn())
    await panel.lit('authenticated').waitFor()
    // By that clock, the token lives for years.
    await panel
      .part('.countdown')
      .filter({ hasText: /^\d{5,} h/ })
      .waitFor()
    expect(await page.evaluate(() => Object.keys(place.element()))).toEqual([])
  })

  it('uses a session that was set before the element was added to the page', async () => {
    const page = await open()
    await page.evaluate(async () => {
      await place.signIn()
      place.define()
      place.add(0)
    })
    const panel = panelOf(page)
    await panel.lit('authenticated').waitFor()
    // It also shows earlier events.
    await expect.poll(panel.events).toContain('signedIn')
  })

  it('switches to another session, and to none', async () => {
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

  it('shows nothing of a removed session after the reading of a file ends', async () => {
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

  it('starts a new recording when it is added to the page again', async () => {
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

  it('shows two sessions in two elements independently', async () => {
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

  it('shows that a session was disposed, and its earlier events', async () => {
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

  it('lights up arrows of current transitions, but not of earlier ones', async () => {
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

  it('has a launcher for each of two sessions, labelled by name', async () => {
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
})
