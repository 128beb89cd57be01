import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import type { TabOptions } from './tab-session.ts'
import { tabsSuite, until } from './tabs-suite.ts'

const SERVER = { jwt: true, secureCookie: true, csrfHeader: 'x-requested-by' }

const MODES: [string, TabOptions][] = [
  ['kept nowhere else', { cookie: true, store: 'memory' }],
  ['with a record of it', { cookie: true, auth: { persist: 'refresh-token' } }],
]

/** An answer brings its cookie with it, whoever is signed in by then: so they must not overtake each other. */
describe.skipIf(!hasChromium).each(MODES)('a session in a cookie, %s,', (_, options) => {
  const { serve, open, start } = tabsSuite()

  const refresh = (page: Page) => page.evaluate(() => tab.refresh())
  const subject = (page: Page) => page.evaluate(() => tab.subject())

  /** Ada is signed in in so many tabs, and the server has an exchange of the first one before it. */
  async function renewing(tabs: number, more: TabOptions = {}) {
    const server = await serve(SERVER)
    const pages = (await open(tabs)) as [Page, Page]
    for (const page of pages) await start(page, { ...options, ...more })
    await pages[0].evaluate(() => tab.signIn('ada'))
    for (const page of pages.slice(1)) {
      await page.reload()
      await start(page, { ...options, ...more })
      // A record says whose session it is before the exchange that it asks for has been made.
      await until(page, () => tab.state() === 'authenticated' && tab.subject() === 'ada')
    }
    const held = server.holdNext()
    await pages[0].evaluate(() => tab.startRefresh())
    await held.arrived
    return { server, pages, held }
  }

  it('is not put back by a late answer after somebody else signed in in another tab', async () => {
    const { server, pages, held } = await renewing(2)
    const [page, other] = pages
    const signedIn = other.evaluate(() => tab.signIn('bob'))
    await until(page, async () => (await navigator.locks.query()).pending?.length === 1)
    held.answer()
    await signedIn
    await refresh(other)
    expect(await subject(other)).toBe('bob')
    await until(page, () => tab.state() === 'authenticated')
    await refresh(page)
    expect(await subject(page)).toBe('bob')
    expect(server).toMatchObject({ reuseDetections: 0, revocations: 0 })
  })

  it.each([
    ['with', true],
    ['without', false],
  ])('nor in the same tab, %s a coordinator', async (_, coordinated) => {
    const { server, pages, held } = await renewing(1, { coordinated })
    const [page] = pages
    const signedIn = page.evaluate(() => tab.signIn('bob'))
    await until(page, () => tab.state() === 'authenticating')
    held.answer()
    await signedIn
    await refresh(page)
    expect(await subject(page)).toBe('bob')
    expect(server).toMatchObject({ reuseDetections: 0, revocations: 0 })
  })

  it('is not ended when a sign-in comes to nothing because another one followed', async () => {
    const server = await serve(SERVER)
    const [page] = await open(1)
    await start(page, options)
    const held = server.holdNext()
    const first = page.evaluate(() => tab.signIn('ada').catch(({ reason }) => reason))
    await held.arrived
    const second = page.evaluate(() => tab.signIn('bob'))
    expect(await first).toBe('superseded')
    held.answer()
    await second
    await refresh(page)
    expect(await subject(page)).toBe('bob')
    expect(server).toMatchObject({ revocations: 0, reuseDetections: 0 })
  })
})
