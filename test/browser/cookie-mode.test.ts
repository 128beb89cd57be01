import type { Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import type { TabOptions } from './tab-session.ts'
import { everywhere, tabsSuite, until } from './tabs-suite.ts'

/** Chromium takes Secure cookies from plain http on this machine. */
const SERVER = { jwt: true, secureCookie: true, csrfHeader: 'x-requested-by' }

/** The refresh token in an HttpOnly cookie, the access token in memory, and nothing anywhere else. */
const COOKIE: TabOptions = { cookie: true, store: 'memory' }
/** The same, and a record without a token, by which the tabs know what session there is. */
const WITH_RECORD: TabOptions = { cookie: true, auth: { persist: 'refresh-token' } }

describe.skipIf(!hasChromium)('a session in a cookie', () => {
  const { serve, profile, open, start, requests, url } = tabsSuite()

  const asks = (page: Page, path = '/api/hello') => page.evaluate((path) => tab.ask(path), path)
  const signIn = (page: Page, user: string) => page.evaluate((user) => tab.signIn(user), user)
  const subject = (page: Page) => page.evaluate(() => tab.subject())

  /** So many tabs: ada signs in in the first one, and the others find her session. */
  async function signedIn(tabs: number, options = COOKIE) {
    const server = await serve(SERVER)
    const profiled = await profile()
    const pages = await open(tabs, profiled)
    const [first, ...others] = pages
    expect(await start(first, options)).toBe('anonymous')
    await signIn(first, 'ada')
    for (const page of others) {
      await start(page, options)
      await until(page, () => tab.state() === 'authenticated')
    }
    return { server, pages: pages as [Page, Page], ...profiled }
  }

  it('is found again after a reload, by one silent refresh', async () => {
    const { server, pages, context } = await signedIn(1)
    const [page] = pages
    const { tokenRequests } = server
    await page.reload()
    expect(await start(page, COOKIE)).toBe('authenticated')
    expect(await subject(page)).toBe('ada')
    expect(await asks(page)).toBe('200')
    expect(server).toMatchObject({ tokenRequests: tokenRequests + 1, refreshes: 1, reuseDetections: 0 })
    expect(await context.cookies()).toMatchObject([
      { name: 'refresh_token', httpOnly: true, secure: true, sameSite: 'Strict', path: '/token' },
    ])
    expect(await page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length])).toEqual([
      '',
      0,
      0,
    ])
  })

  it('is none where there is no cookie, and that is no error', async () => {
    const server = await serve(SERVER)
    const [page] = await open(1)
    for (let times = 1; times <= 2; times++) {
      expect(await start(page, COOKIE)).toBe('anonymous')
      expect(await page.evaluate(() => tab.history())).toEqual([])
      expect(await asks(page)).toBe('401')
      expect(server.tokenRequests).toBe(times)
      await page.reload()
    }
  })

  it('is renewed when its token dies, and once for all requests that wait', async () => {
    const { server, pages } = await signedIn(1)
    const [page] = pages
    server.expireAccessTokens()
    await page.evaluate(() => tab.startAsking('/api/waits', 20))
    expect(await page.evaluate(() => tab.result())).toBe('200')
    expect(server).toMatchObject({ refreshes: 1, reuseDetections: 0 })
  })

  it('is found by several tabs that start at once, one after the other', async () => {
    const { server, pages, open: openTab } = await signedIn(1)
    await pages[0].close()
    const started = await Promise.all([openTab(), openTab(), openTab(), openTab()])
    server.reset()
    const held = server.holdNext()
    const starting = started.map((page) => start(page, COOKIE))
    await held.arrived
    await until(started[0]!, async () => (await navigator.locks.query()).pending?.length === 3)
    expect(server.tokenRequests).toBe(1)
    held.answer()
    expect(await Promise.all(starting)).toEqual(Array(4).fill('authenticated'))
    for (const page of started) expect(await asks(page)).toBe('200')
    expect(server).toMatchObject({ tokenRequests: 4, refreshes: 4, reuseDetections: 0 })
  })

  describe.each([
    ['kept nowhere else', COOKIE],
    ['with a record of it', WITH_RECORD],
  ])('%s', (_, options) => {
    it('is over in all tabs when one of them signs out, on the server, too, and the cookie is gone', async () => {
      const { server, pages, context } = await signedIn(3, options)
      const { tokenRequests } = server
      await pages[1].evaluate(() => tab.signOut())
      await everywhere(pages, () => tab.state() === 'loggedOut')
      expect(server).toMatchObject({ tokenRequests, revocations: 1, reuseDetections: 0 })
      expect(await context.cookies()).toEqual([])
      for (const page of pages) expect(await asks(page)).toBe('401')
      await pages[0].reload()
      expect(await start(pages[0], options)).toBe('anonymous')
    })

    it('sends nothing of its user as another one, who signed in in another tab', async () => {
      const { server, pages } = await signedIn(2, options)
      const [page, other] = pages
      server.expireAccessTokens()
      const held = server.holdNext()
      await page.evaluate(() => tab.startAsking('/api/of-ada'))
      await held.arrived
      const changed = signIn(other, 'bob')
      await until(page, async () => (await navigator.locks.query()).pending?.length === 1)
      held.drop()
      await changed
      expect(await page.evaluate(() => tab.result())).toBe('SignedOutError: user_changed')
      await until(page, () => tab.subject() === 'bob')
      expect(await page.evaluate(() => tab.reasons('signedIn').length)).toBe(2)
      for (const each of pages) expect(await asks(each)).toBe('200')
      expect(requests('/api/of-ada')).toHaveLength(1)
      expect(server.reuseDetections).toBe(0)
    })
  })

  it('with a record of it is that of who signs in in another tab, at once', async () => {
    const { server, pages } = await signedIn(2, WITH_RECORD)
    const [page, other] = pages
    const { tokenRequests } = server
    await signIn(other, 'bob')
    await until(page, () => tab.subject() === 'bob')
    expect(await asks(page)).toBe('200')
    expect(server).toMatchObject({ tokenRequests: tokenRequests + 2, reuseDetections: 0 })
  })

  const STRANGERS = [
    ['of another site, which has not even the cookie', 'stranger.localhost', 400],
    ['of another origin of the same site, which has no header', '127.0.0.1', 403],
  ] as const

  it.each(STRANGERS)('cannot be had, nor ended, by a page %s', async (_, host, status) => {
    const { server, pages, context, origin } = await signedIn(1)
    const { port } = new URL(origin)
    const stranger = await context.newPage()
    await stranger.goto(`http://${host}:${port}/elsewhere`)
    server.reset()
    await stranger.evaluate(async (url) => {
      // What a form can send, and so needs no preflight.
      const forge = (path: string) =>
        fetch(url + path, {
          method: 'POST',
          mode: 'no-cors',
          credentials: 'include',
          body: new URLSearchParams({ grant_type: 'refresh_token' }),
        })
      await Promise.all([forge('/token'), forge('/token/revoke')])
    }, url())
    expect(server.log.map((request) => request.status)).toEqual([status, status])
    expect(server).toMatchObject({ refreshes: 0, revocations: 0, reuseDetections: 0 })
    await pages[0].reload()
    expect(await start(pages[0], COOKIE)).toBe('authenticated')
  })
})
