import { describe, expect, it } from 'vitest'
import { hasBrowser, setsSecureCookies } from '../support/browsers/engine.ts'
import type { Tab } from '../support/browsers/tab.ts'
import type { TabOptions } from './tab-session.ts'
import { everywhere, tabsSuite, until } from './tabs-suite.ts'

const SERVER = { jwt: true, secureCookie: setsSecureCookies, csrfHeader: 'x-requested-by' }

/** The refresh token is in an HttpOnly cookie, the access token in memory. No store is used. */
const COOKIE: TabOptions = { cookie: true, store: 'memory' }
/** The same with a store. Its record has no token, but identifies the session. */
const WITH_RECORD: TabOptions = { cookie: true, auth: { persist: 'refresh-token' } }

describe.skipIf(!hasBrowser)('a session in a cookie', () => {
  const { serve, profile, open, start, requests, url } = tabsSuite()

  const request = (page: Tab, path = '/api/hello') => page.evaluate((path) => tab.request(path), path)
  const signIn = (page: Tab, user: string) => page.evaluate((user) => tab.signIn(user), user)
  const subject = (page: Tab) => page.evaluate(() => tab.subject())

  /** Opens tabs. Ada signs in in the first one, and the others restore her session. */
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
    return { server, pages: pages as [Tab, Tab], ...profiled }
  }

  it('is restored after a reload by one silent refresh', async () => {
    const { server, pages, context } = await signedIn(1)
    const [page] = pages
    const { tokenRequests } = server
    await page.reload()
    expect(await start(page, COOKIE)).toBe('authenticated')
    expect(await subject(page)).toBe('ada')
    expect(await request(page)).toBe('200')
    expect(server).toMatchObject({ tokenRequests: tokenRequests + 1, refreshes: 1, reuseDetections: 0 })
    expect(await context.cookies(`${url()}/token`)).toMatchObject([
      {
        name: 'refresh_token',
        httpOnly: true,
        secure: setsSecureCookies,
        sameSite: 'Strict',
        path: '/token',
      },
    ])
    expect(await page.evaluate(() => [document.cookie, localStorage.length, sessionStorage.length])).toEqual([
      '',
      0,
      0,
    ])
  })

  it('can be in a Secure cookie of a server on this machine, over plain http', async () => {
    await serve({ ...SERVER, secureCookie: true })
    const [page] = await open(1)
    await start(page, COOKIE)
    await signIn(page, 'ada')
    await page.reload()
    expect(await start(page, COOKIE)).toBe('authenticated')
  })

  it('does not exist without a cookie, and emits no error', async () => {
    const server = await serve(SERVER)
    const [page] = await open(1)
    for (let times = 1; times <= 2; times++) {
      expect(await start(page, COOKIE)).toBe('anonymous')
      expect(await page.evaluate(() => tab.history())).toEqual([])
      expect(await request(page)).toBe('401')
      expect(server.tokenRequests).toBe(times)
      await page.reload()
    }
  })

  it('is refreshed once for all held requests when its token expires', async () => {
    const { server, pages } = await signedIn(1)
    const [page] = pages
    server.expireAccessTokens()
    await page.evaluate(() => tab.startRequests('/api/waits', 20))
    expect(await page.evaluate(() => tab.result())).toBe('200')
    expect(server).toMatchObject({ refreshes: 1, reuseDetections: 0 })
  })

  it('is restored by tabs that start at once, one after the other', async () => {
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
    for (const page of started) expect(await request(page)).toBe('200')
    expect(server).toMatchObject({ tokenRequests: 4, refreshes: 4, reuseDetections: 0 })
  })

  describe.each([
    ['without a record in a store', COOKIE],
    ['with a record in a store', WITH_RECORD],
  ])('%s', (_, options) => {
    it('is signed out in all tabs and on the server when one tab signs out, and loses its cookie', async () => {
      const { server, pages, context } = await signedIn(3, options)
      const { tokenRequests } = server
      await pages[1].evaluate(() => tab.signOut())
      await everywhere(pages, () => tab.state() === 'loggedOut')
      expect(server).toMatchObject({ tokenRequests, revocations: 1, reuseDetections: 0 })
      expect(await context.cookies(`${url()}/token`)).toEqual([])
      for (const page of pages) expect(await request(page)).toBe('401')
      await pages[0].reload()
      expect(await start(pages[0], options)).toBe('anonymous')
    })

    it('sends no held request as another user who signed in in another tab', async () => {
      const { server, pages } = await signedIn(2, options)
      const [page, other] = pages
      server.expireAccessTokens()
      const held = server.holdNext()
      await page.evaluate(() => tab.startRequests('/api/of-ada'))
      await held.arrived
      const changed = signIn(other, 'bob')
      await until(page, async () => (await navigator.locks.query()).pending?.length === 1)
      held.drop()
      await changed
      expect(await page.evaluate(() => tab.result())).toBe('SignedOutError: user_changed')
      await until(page, () => tab.subject() === 'bob')
      expect(await page.evaluate(() => tab.reasons('signedIn').length)).toBe(2)
      for (const each of pages) expect(await request(each)).toBe('200')
      expect(requests('/api/of-ada')).toHaveLength(1)
      expect(server.reuseDetections).toBe(0)
    })
  })

  it('switches at once to a user who signs in in another tab if there is a record in a store', async () => {
    const { server, pages } = await signedIn(2, WITH_RECORD)
    const [page, other] = pages
    const { tokenRequests } = server
    await signIn(other, 'bob')
    await until(page, () => tab.subject() === 'bob')
    expect(await request(page)).toBe('200')
    expect(server).toMatchObject({ tokenRequests: tokenRequests + 2, reuseDetections: 0 })
  })

  const STRANGERS = [
    ['of another site, which has no cookie', 'stranger.localhost', 400],
    ['of another origin of the same site, which cannot send the header', '127.0.0.1', 403],
  ] as const

  it.each(STRANGERS)('cannot be used or ended by a page %s', async (_, host, status) => {
    const { server, pages, context, origin } = await signedIn(1)
    const { port } = new URL(origin)
    const stranger = await context.newPage()
    await stranger.goto(`http://${host}:${port}/elsewhere`)
    server.reset()
    await stranger.evaluate(async (url) => {
      // Sends what a form can send, which needs no preflight.
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
