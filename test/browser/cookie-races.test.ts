import { describe, expect, it } from 'vitest'
import { hasBrowser, setsSecureCookies } from '../support/browsers/engine.ts'
import type { Tab } from '../support/browsers/tab.ts'
import type { TabOptions } from './tab-session.ts'
import { tabsSuite, until } from './tabs-suite.ts'

const SERVER = { jwt: true, secureCookie: setsSecureCookies, csrfHeader: 'x-requested-by' }

const MODES: [string, TabOptions][] = [
  ['in a cookie only', { cookie: true, store: 'memory' }],
  ['in a cookie, with a record in the store', { cookie: true, auth: { persist: 'refresh-token' } }],
]

/** A response sets its cookie even if another user has signed in since. So responses must not overtake each other. */
describe.skipIf(!hasBrowser).each(MODES)('a session %s', (_, options) => {
  const { serve, open, start } = tabsSuite()

  const refresh = (page: Tab) => page.evaluate(() => tab.refresh())
  const subject = (page: Tab) => page.evaluate(() => tab.subject())

  /** Opens tabs in which ada is signed in. The server holds a refresh of the first tab. */
  async function startRefreshing(tabs: number, more: TabOptions = {}) {
    const server = await serve(SERVER)
    const pages = (await open(tabs)) as [Tab, Tab]
    await start(pages[0], { ...options, ...more })
    await pages[0].evaluate(() => tab.signIn('ada'))
    for (const page of pages.slice(1)) {
      await start(page, { ...options, ...more })
      // With a record, the tab knows the user before its refresh has completed.
      await until(page, () => tab.state() === 'authenticated' && tab.subject() === 'ada')
    }
    const held = server.holdNext()
    await pages[0].evaluate(() => tab.startRefresh())
    await held.arrived
    return { server, pages, held }
  }

  it('is not restored by a late response after another user signed in in another tab', async () => {
    const { server, pages, held } = await startRefreshing(2)
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
  ])(
    'is not restored by a late response after another user signed in in the same tab, %s a coordinator',
    async (_, coordinated) => {
      const { server, pages, held } = await startRefreshing(1, { coordinated })
      const [page] = pages
      const signedIn = page.evaluate(() => tab.signIn('bob'))
      await until(page, () => tab.state() === 'authenticating')
      held.answer()
      await signedIn
      await refresh(page)
      expect(await subject(page)).toBe('bob')
      expect(server).toMatchObject({ reuseDetections: 0, revocations: 0 })
    },
  )

  it('is not ended by a sign-in that another sign-in replaced', async () => {
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
