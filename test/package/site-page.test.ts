import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { API_PAGES } from '../../site/.vitepress/api-pages.ts'
import { PAGES, routeOf } from '../../site/.vitepress/pages.ts'
import { expectNoBarriers } from '../bindings/barriers.ts'
import { hasChromium } from '../support/chromium.ts'
import { overflow, PHONE } from '../support/phone.ts'
import { BUILT, type BuiltSite, buildSite, openSite } from './built-site.ts'

/** Pages with all that pages consist of: drawings, wide tables, long snippets, generated parts. */
const TYPICAL = ['/', '/reference/options', '/api/fetch']

describe.skipIf(!hasChromium)('the built site', () => {
  let site: BuiltSite
  beforeAll(async () => {
    buildSite()
    site = await openSite()
  }, 300_000)
  afterAll(() => site?.close())
  afterEach(async () => {
    for (const context of site.browser.contexts()) await context.close()
    // A site that needs nothing of another host works without a network.
    expect(site.takeProblems()).toEqual([])
  })

  it.each(TYPICAL)('%s has no accessibility violations, in light and dark themes', async (path) => {
    const page = await site.open(path)
    await expectNoBarriers(page)
  })

  it('the picture of the first page moves, unless a reader prefers less motion', async () => {
    const shown = async (reducedMotion: 'reduce' | 'no-preference') => {
      const page = await site.open('/', { reducedMotion })
      const picture = page.locator('picture img').first()
      return picture.evaluate((img: HTMLImageElement) => img.decode().then(() => img.currentSrc))
    }
    expect(await shown('no-preference')).toMatch(/film.*\.webp$/)
    expect(await shown('reduce')).toMatch(/dark.*\.png$/)
  })

  it('no page is wider than a phone', async () => {
    const page = await site.open('/', PHONE)
    for (const path of [
      ...TYPICAL,
      '/scoreboard',
      '/drawings',
      '/guides/testing',
      '/api/authchart',
      '/playground',
    ]) {
      await page.goto(site.url + path)
      await page.locator('h1').first().waitFor()
      expect(await overflow(page), path).toBe(0)
    }
  })

  it('the tables of the scoreboard scroll, and not the page, on a desk', async () => {
    const page = await site.open('/scoreboard', { viewport: { width: 1280, height: 800 } })
    await page.locator('.table-box').last().waitFor()
    expect(await overflow(page)).toBe(0)
  })

  it('the search finds pages for a word, and leads to them', async () => {
    const page = await site.open('/')
    await page.getByRole('button', { name: 'Search' }).click()
    await page.getByRole('searchbox').fill('invalid_grant')
    const results = page.locator('.VPLocalSearchBox .result')
    await results.first().waitFor()
    const [path] = ((await results.first().getAttribute('href')) ?? '').split('#')
    await results.first().click()
    await page.waitForURL((url) => url.pathname === path)
    await page.locator('main h1').filter({ visible: true }).waitFor()
  })

  it('llms.txt lists every page, and each of them as Markdown', () => {
    const text = readFileSync(join(BUILT, 'llms.txt'), 'utf8')
    const listed = [...text.matchAll(/\]\((\/[^)]+\.md)\)/g)].map(([, path = '']) => path)
    const routes = [...PAGES.map(routeOf), ...API_PAGES.map(({ route }) => route)]
    expect([...new Set(listed)].sort()).toEqual(
      routes.map((route) => (route === '/' ? '/index.md' : `${route}.md`)).sort(),
    )
    for (const path of listed) expect(readFileSync(join(BUILT, path), 'utf8')).toMatch(/^# /m)
  })

  it('the playground runs in the page: without a server, without a network, in the theme of the site', async () => {
    const page = await site.open('/playground', { colorScheme: 'dark' })
    const frame = page.frameLocator('iframe')
    const statusIs = (words: RegExp) => frame.locator('#status').filter({ hasText: words }).waitFor()
    const press = (action: string) => frame.locator(`[data-action="${action}"]`).click()
    await frame.locator('svg.authchart.dark').waitFor()
    await page.context().setOffline(true)
    await press('sign-in')
    await statusIs(/^Signed in as ada\.$/)
    await press('expire-access-token')
    await statusIs(/rejects all access tokens/)
    await press('burst')
    await statusIs(/^100 of 100 answered\.$/)
    for (const transport of ['ofetch', 'axios']) {
      await frame.getByRole('radio', { name: transport, exact: true }).check()
      await press('request')
      await statusIs(/: 1 of 1 answered\.$/)
    }
    await press('lose-answer')
    await statusIs(/will be lost\.$/)
    await press('refresh')
    await statusIs(/^Token \d+ received\.$/)
    await press('offline')
    await statusIs(/^This tab is offline\.$/)
    await press('request')
    await press('offline')
    await statusIs(/^This tab is back online\.$/)
    await press('sign-out')
    await statusIs(/^Signed out\.$/)
    expect(await frame.locator('#sign-in-openid-hint').innerText()).toMatch(
      /needs a server: npm run playground/,
    )
    await page.getByRole('switch').first().click()
    await frame.locator('svg.authchart.light').waitFor()
  })
})
