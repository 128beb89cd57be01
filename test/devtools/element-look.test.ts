import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { panelOf } from './panel.ts'
import { siteSuite } from './site-suite.ts'

describe.skipIf(!hasChromium)('<authchart-devtools>', () => {
  const { open } = siteSuite()

  const theme = (page: Page) => panelOf(page).part('.root').getAttribute('data-theme')

  it('follows the theme of the system or of its attribute, also while it is open', async () => {
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
    // Active states stay lit after the chart is drawn again.
    await panel.lit('anonymous').waitFor()
    await page.evaluate(() => place.element().setAttribute('theme', 'sepia'))
    await panel.part('svg.authchart.dark').waitFor()
    const colors = await panel
      .part('.card')
      .first()
      .evaluate((card) => getComputedStyle(card).backgroundColor)
    expect(colors).toBe('rgb(13, 17, 23)')
  })

  it.each(['light', 'dark'] as const)(
    'shows bars and pressed buttons in forced colors, %s',
    async (colorScheme) => {
      const page = await open('/', { colorScheme, forcedColors: 'active' })
      await page.evaluate(async () => {
        place.show({ open: true })
        await place.signIn()
        await place.ask(3)
      })
      const panel = panelOf(page)
      await panel.part('[data-counter=done]').filter({ hasText: '3' }).waitFor()
      const colorOf = (selector: string, pseudo?: string) =>
        panel
          .part(selector)
          .first()
          .evaluate((part, pseudo) => {
            const { backgroundColor, color } = getComputedStyle(part, pseudo)
            return pseudo || !(part instanceof HTMLButtonElement)
              ? backgroundColor
              : `${color} on ${backgroundColor}`
          }, pseudo)
      const canvas = await colorOf('.card')
      for (const part of ['.level', '.bar']) expect(await colorOf(part)).not.toBe(canvas)
      expect(await colorOf('.filter', '::before')).not.toBe(canvas)
      expect(await colorOf('.filter[aria-pressed=true]')).not.toBe(
        await colorOf('.filter[aria-pressed=false]'),
      )
    },
  )

  it('neither changes the layout of the page nor inherits its styles', async () => {
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
    const wanted = {
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
    }
    const look = await panel
      .part('h2')
      .first()
      .evaluate(
        (heading, names) => {
          const style = getComputedStyle(heading)
          return Object.fromEntries(names.map((name) => [name, style[name]]))
        },
        Object.keys(wanted) as (keyof typeof wanted)[],
      )
    expect(look).toEqual(wanted)
  })
})
