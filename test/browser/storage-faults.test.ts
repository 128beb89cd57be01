import { describe, expect, it } from 'vitest'
import { ENGINE, type Engine, hasBrowser } from '../support/browsers/engine.ts'
import { fillUp } from '../support/browsers/fill-storage.ts'
import type { Tab } from '../support/browsers/tab.ts'
import type { TabsHarnessOptions } from './tabs-harness.ts'
import { everywhere, tabsSuite, until } from './tabs-suite.ts'

const request = (page: Tab, path = '/api/hello') => page.evaluate((path) => tab.request(path), path)
const failures = (page: Tab) => page.evaluate(() => tab.reasons('storageFailed'))
const refresh = (page: Tab) => page.evaluate(() => tab.refresh())

/** Browser preferences that block the storage of every site. WebKit has none. */
const BLOCKED: Partial<Record<Engine, object>> = {
  chromium: { profile: { default_content_setting_values: { cookies: 2 } } },
  firefox: { 'network.cookie.cookieBehavior': 2 },
}

describe.skipIf(!hasBrowser)('a session in localStorage', () => {
  const { serve, open, signedIn, signIn, start } = tabsSuite()

  describe('that is full', () => {
    it('continues in memory if it was full from the start, and stores no spent token', async () => {
      const server = await serve()
      const [page, other] = (await open(2)) as [Tab, Tab]
      await page.evaluate(fillUp)
      await start(page)
      await page.evaluate(() => tab.signIn('ada'))
      for (let times = 0; times < 5; times++) expect(await request(page)).toBe('200')
      await refresh(page)
      expect(await request(page)).toBe('200')
      expect(await failures(page)).toEqual(['QuotaExceededError'])
      expect(await page.evaluate(() => tab.stored())).toBe(null)
      expect(await start(other)).toBe('anonymous')
      expect(await page.evaluate(() => tab.state())).toBe('authenticated')
      expect(server).toMatchObject({ tokenRequests: 2, refreshes: 1, reuseDetections: 0 })
    })

    it('is refreshed by each tab separately, without a spent token, if a longer record does not fit', async () => {
      const server = await serve()
      const [page, other] = (await open(2)) as [Tab, Tab]
      // The next tokens are longer, because their counter has one more digit.
      let tokens = server.issue('ada')
      for (let times = 1; times < 9; times++) tokens = server.renew(tokens.refresh_token)
      const { refreshes: before } = server
      await start(page, { tokens })
      await start(other)
      await page.evaluate(fillUp)
      server.expireAccessTokens()
      for (const each of [page, other]) expect(await request(each)).toBe('200')
      for (const each of [page, other]) expect(await request(each)).toBe('200')
      expect(await failures(page)).toEqual(['QuotaExceededError'])
      for (const each of [page, other]) expect(await each.evaluate(() => tab.refreshCalls())).toBe(1)
      expect(server).toMatchObject({ tokenRequests: 2, refreshes: before + 2, reuseDetections: 0 })
    })
  })

  describe('that is cleared', () => {
    it('continues until the next refresh, and is then signed out, if its own page cleared it', async () => {
      const server = await serve()
      const [page] = await signedIn(1)
      await page.evaluate(() => localStorage.clear())
      expect(await request(page)).toBe('200')
      server.expireAccessTokens()
      expect(await request(page)).toBe('SignedOutError: signed_out')
      expect(await page.evaluate(() => [tab.state(), tab.stored()])).toEqual(['loggedOut', null])
      expect(await page.evaluate(() => tab.reasons('signedOut'))).toEqual(['signed_out_elsewhere'])
      expect(server.tokenRequests).toBe(0)
      expect(await failures(page)).toEqual([])
    })

    it('is signed out at once if another page cleared it', async () => {
      const server = await serve()
      const [page, other, stranger] = (await open(3)) as [Tab, Tab, Tab]
      await signIn([page, other])
      await stranger.evaluate(() => localStorage.clear())
      for (const each of [page, other]) {
        await until(each, () => tab.state() === 'loggedOut')
        expect(await each.evaluate(() => tab.reasons('signedOut'))).toEqual(['signed_out_elsewhere'])
      }
      expect(server.tokenRequests).toBe(0)
    })
  })

  const GARBAGE = {
    'text that is not JSON': '{"version":1,"acc',
    'another shape': '["at"]',
    'an older version': '{"version":0,"token":"at"}',
  }

  describe.each(Object.entries(GARBAGE))('that is overwritten with %s', (_, text) => {
    it('continues in all tabs, and is stored again at the next refresh', async () => {
      const server = await serve()
      const [page, other, stranger] = (await open(3)) as [Tab, Tab, Tab]
      await signIn([page, other])
      await stranger.evaluate((text) => {
        for (let times = 0; times < 20; times++) localStorage.setItem('authchart', text + ' '.repeat(times))
      }, text)
      for (const each of [page, other]) {
        await until(each, () => localStorage.getItem('authchart')?.endsWith(' '.repeat(19)))
        await until(each, () => tab.reasons('storageFailed').length > 0)
        expect(await request(each)).toBe('200')
        expect(await failures(each)).toEqual(['invalid_record'])
      }
      expect(await start(stranger)).toBe('anonymous')
      await refresh(page)
      const token = await page.evaluate(() => tab.token())
      for (const each of [page, other, stranger]) {
        await until(each, async (token) => (await tab.token()) === token, token)
        expect(await request(each)).toBe('200')
      }
      expect(server).toMatchObject({ tokenRequests: 1, refreshes: 1, reuseDetections: 0 })
    })
  })

  it('presents no spent token after the record was replaced by an older one', async () => {
    const server = await serve()
    const [page, other] = (await signedIn(2)) as [Tab, Tab]
    const old = await page.evaluate(() => localStorage.getItem('authchart') ?? '')
    await refresh(page)
    const token = await page.evaluate(() => tab.token())
    await until(other, async (token) => (await tab.token()) === token, token)
    await page.evaluate((old) => localStorage.setItem('authchart', old), old)
    await refresh(other)
    for (const each of [page, other]) expect(await request(each)).toBe('200')
    await refresh(page)
    expect(server).toMatchObject({ tokenRequests: 3, refreshes: 3, reuseDetections: 0 })
    expect(await failures(page)).toEqual([])
  })

  it('is signed out after an older version replaced the record, and allows a new sign-in', async () => {
    const server = await serve()
    const [page, other, stranger] = (await open(3)) as [Tab, Tab, Tab]
    await signIn([page, other])
    await stranger.evaluate(() => localStorage.removeItem('authchart'))
    await everywhere([page, other], () => tab.state() === 'loggedOut')
    await stranger.evaluate(() => localStorage.setItem('authchart', '{"version":0,"token":"at"}'))
    await everywhere([page, other], () => tab.reasons('storageFailed').includes('invalid_record'))
    expect(await start(stranger)).toBe('anonymous')
    for (const each of [page, other, stranger]) expect(await request(each)).toBe('401')
    await page.evaluate(() => tab.signIn('bob'))
    await everywhere([page, other, stranger], () => tab.subject() === 'bob')
    for (const each of [page, other, stranger]) expect(await request(each)).toBe('200')
    expect(server).toMatchObject({ tokenRequests: 1, refreshes: 0 })
  })
})

const FORBIDDEN: [string, string, TabsHarnessOptions][] = [['in a sandboxed page', '/sandboxed', {}]]
if (ENGINE in BLOCKED)
  FORBIDDEN.push([
    'in a page whose storage the user blocks',
    '/',
    { plain: true, preferences: BLOCKED[ENGINE] },
  ])

describe.skipIf(!hasBrowser).each(FORBIDDEN)('a session %s', (_, path, options) => {
  const { serve, profile, start } = tabsSuite(options)

  it('continues in memory, fails no request, and emits storageFailed once', async () => {
    const server = await serve()
    const { open } = await profile()
    const page = await open(path)
    await start(page)
    await page.evaluate(() => tab.signIn('ada'))
    for (let times = 0; times < 5; times++) expect(await request(page)).toBe('200')
    server.expireAccessTokens()
    for (let times = 0; times < 5; times++) expect(await request(page)).toBe('200')
    expect(await page.evaluate(() => tab.refreshCalls())).toBe(1)
    await page.evaluate(() => tab.signOut())
    expect(await page.evaluate(() => tab.state())).toBe('loggedOut')
    expect(await request(page)).toBe('401')
    expect(await failures(page)).toEqual(['SecurityError'])
    expect(server).toMatchObject({ tokenRequests: 2, refreshes: 1, reuseDetections: 0 })
  })
})
