import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { watchFootprint } from './footprint.ts'
import { panelOf } from './panel.ts'
import { siteSuite } from './site-suite.ts'

describe.skipIf(!hasChromium)('<authchart-devtools>', () => {
  const { open, server } = siteSuite()

  it('removes all timers, listeners and observers when it is removed during activity', async () => {
    const page = await open('/', { prepare: watchFootprint })
    const counts = () => page.evaluate(() => footprint?.counts())
    await page.evaluate(() => place.signIn())
    const before = await counts()
    expect(before).toMatchObject({ frames: 0, observers: 0, subscriptions: 0 })
    await page.evaluate(() => place.show({ open: true }))
    const panel = panelOf(page)
    await panel.lit('authenticated').waitFor()
    expect(await counts()).toMatchObject({ observers: 2, listeners: Number(before?.listeners) + 1 })

    // Arrows are animated, and a request is in flight.
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

  it('removes all timers, listeners and observers a hundred times, also if its session is replaced', async () => {
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
})
