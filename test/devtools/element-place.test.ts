import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { panelOf } from './panel.ts'
import { siteSuite } from './site-suite.ts'

const DESK = { viewport: { width: 1280, height: 720 } }
const PHONE = { viewport: { width: 390, height: 844 } }

describe.skipIf(!hasChromium)('the dock of <authchart-devtools>', () => {
  const { open, server } = siteSuite()

  async function openDock(screen: typeof DESK) {
    const page = await open('/', screen)
    await page.evaluate(() => place.show({ open: true }))
    await panelOf(page).lit('anonymous').waitFor()
    return page
  }

  const boxOf = async (page: Page) => {
    const box = await panelOf(page).part('.dock').boundingBox()
    if (!box) throw new Error('There is no dock.')
    return Object.fromEntries(Object.entries(box).map(([name, length]) => [name, Math.round(length)]))
  }

  /** Drags from a point by a distance. */
  async function drag(page: Page, [x, y]: readonly [number, number], [dx, dy]: readonly [number, number]) {
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + dx, y + dy, { steps: 3 })
    await page.mouse.up()
  }

  it('moves with its title bar, resizes with its edges, and is in the same place after a reload', async () => {
    const page = await openDock(DESK)
    const docked = await boxOf(page)
    expect(docked).toMatchObject({ x: 0, width: 1280 })
    const { y = 0 } = docked
    await drag(page, [640, y + 20], [-100, -100])
    const free = await boxOf(page)
    expect(free).toMatchObject({ y: y - 100, width: 896, height: docked.height })
    const { x = 0, width = 0, height = 0 } = free
    await drag(page, [x + width - 5, y - 100 + height - 5], [50, -80])
    const smaller = { x, y: y - 100, width: width + 50, height: height - 80 }
    expect(await boxOf(page)).toEqual(smaller)
    await drag(page, [x + 2, y], [30, 0])
    const narrower = { ...smaller, x: x + 30, width: width + 20 }
    expect(await boxOf(page)).toEqual(narrower)

    await page.reload()
    await page.evaluate(() => place.show({ open: true }))
    await panelOf(page).lit('anonymous').waitFor()
    expect(await boxOf(page)).toEqual(narrower)
    // A small window shows all of it.
    await page.setViewportSize({ width: 500, height: 300 })
    expect(await boxOf(page)).toEqual({ x: 0, y: 0, width: 500, height: 300 })
    await page.setViewportSize(DESK.viewport)
    await panelOf(page)
      .part('.titlebar')
      .dblclick({ position: { x: 300, y: 20 } })
    expect(await boxOf(page)).toEqual(docked)
  })

  it('looks and moves the same in another window, and after its return from a document without one', async () => {
    const page = await openDock(DESK)
    const [popup] = await Promise.all([
      page.waitForEvent('popup'),
      page.evaluate(() => {
        const other = window.open('', '', 'width=700,height=500') as Window
        other.document.body.append(place.element())
      }),
    ])
    const look = (at: Page) =>
      panelOf(at)
        .part('.dock')
        .evaluate((dock) => {
          const { position, width } = getComputedStyle(dock)
          return [position, width === `${dock.ownerDocument.documentElement.clientWidth}px`]
        })
    expect(await look(popup)).toEqual(['fixed', true])
    await popup.getByRole('button', { name: /^Move the panel/ }).press('ArrowUp')
    const { width } = popup.viewportSize() ?? (await popup.evaluate(() => ({ width: innerWidth })))
    expect((await boxOf(popup)).width).toBe(Math.round(width * 0.7))
    await popup.getByRole('button', { name: /^Move the panel/ }).press('Home')

    await popup.evaluate(() => {
      const element = document.querySelector('authchart-devtools') as HTMLElement
      new DOMParser().parseFromString('', 'text/html').adoptNode(element)
      window.opener.document.body.append(element)
    })
    await panelOf(page).lit('anonymous').waitFor()
    expect(await look(page)).toEqual(['fixed', true])
  })

  it('moves, resizes and docks with the keyboard', async () => {
    const page = await openDock(DESK)
    const docked = await boxOf(page)
    const grip = page.getByRole('button', { name: /^Move the panel/ })
    await grip.press('ArrowUp')
    const free = await boxOf(page)
    expect(free).toMatchObject({ y: (docked.y ?? 0) - 32, width: 896 })
    await grip.press('ArrowRight')
    await grip.press('Shift+ArrowDown')
    await grip.press('Shift+ArrowLeft')
    expect(await boxOf(page)).toEqual({
      x: (free.x ?? 0) + 32,
      y: free.y,
      width: 896 - 32,
      height: (free.height ?? 0) + 32,
    })
    await grip.press('Home')
    expect(await boxOf(page)).toEqual(docked)
  })

  it('fits a phone: labels of the chart can be read, and the active state is in sight', async () => {
    const page = await openDock(PHONE)
    const panel = panelOf(page)
    await page.evaluate(() => place.signIn())
    const state = panel.lit('authenticated.refreshable')
    await state.waitFor()
    const sizes = await panel.part('.chart-place svg .state .name').evaluateAll((names) =>
      names.map((name) => {
        const { a } = (name as SVGTextElement).getScreenCTM() ?? { a: 0 }
        return Number.parseFloat(getComputedStyle(name).fontSize) * a
      }),
    )
    expect(Math.min(...sizes)).toBeGreaterThanOrEqual(9)
    const isInSight = () =>
      state.evaluate((box) => {
        const view = (box.closest('.chart-place') as HTMLElement).getBoundingClientRect()
        const { left, right, top, bottom } = box.getBoundingClientRect()
        return left >= view.left && right <= view.right && top >= view.top && bottom <= view.bottom
      })
    await expect.poll(isInSight).toBe(true)
    await panel.button('Fit').click()
    const [wide, room] = await panel
      .part('.chart-place')
      .evaluate(({ scrollWidth, clientWidth }) => [scrollWidth, clientWidth])
    expect(wide).toBe(room)
  })

  it('shows a refresh as one event, which opens', async () => {
    const page = await openDock(DESK)
    const panel = panelOf(page)
    await page.evaluate(() => place.signIn())
    const refresh = server().holdNext()
    server().expireAccessTokens()
    const answers = page.evaluate(() => place.ask(3))
    await refresh.arrived
    await panel.part('[data-refresh]').filter({ hasText: 'running' }).waitFor()
    refresh.answer()
    expect(await answers).toEqual(['200', '200', '200'])
    const head = panel.part('[data-refresh]')
    await head.filter({ hasText: 'generation 1 → 2' }).waitFor()
    const refreshed = panel.part('[data-event=refreshed]')
    expect(await refreshed.isVisible()).toBe(false)
    await head.click()
    await refreshed.waitFor()
    await head.click()
    await refreshed.waitFor({ state: 'hidden' })
    // The fold is one stop for the keyboard.
    await panel.live.click()
    await panel.log.press('ArrowDown')
    expect(await head.getAttribute('aria-selected')).toBe('true')
    await panel.log.press('ArrowRight')
    await refreshed.waitFor()
    await panel.log.press('ArrowLeft')
    await refreshed.waitFor({ state: 'hidden' })
    await panel.unfold()
    await refreshed.waitFor()
    expect(await head.count()).toBe(0)
  })
})
