import { describe, expect, it } from 'vitest'
import type { Tab } from '../support/browsers/tab.ts'
import { hasChromium } from '../support/chromium.ts'
import { findTokens, recordTalk } from './token-search.ts'
import type { Api } from './worker-harness.ts'
import { until, workerSuite } from './worker-suite.ts'

describe.skipIf(!hasChromium)('a script on the page', () => {
  const { serve, connected, blank } = workerSuite({ watch: recordTalk })

  /** Uses a session in every way: with each client, refreshes, 401s and a failure. */
  async function live(opened: Tab, { url, server }: Api, handsOver: unknown) {
    const ask = (path: string) =>
      opened.evaluate(async (target) => {
        console.log('asking', target, auth, auth.session, auth.actor.getSnapshot(), auth.history)
        const seen = [
          (await api(target, { method: 'POST', body: 'a body' })).status,
          (await ofetch.raw(target)).status,
          await http.get(target).then((answer) => {
            console.log('answered', answer)
            return answer.status
          }),
        ]
        return seen
      }, url + path)
    expect(await ask('/api/first')).toEqual([200, 200, 200])
    server.expireAccessTokens()
    expect(await ask('/api/renewed')).toEqual([200, 200, 200])
    await opened.evaluate(() => auth.refresh().then((session) => console.log('renewed', session)))
    await opened.evaluate(async (url) => {
      // Apps send errors to reporting services.
      for (const path of ['/api/always-401', '/api/forbidden', '/nowhere'])
        await ofetch(url + path).catch((error) => console.error(error, error.response, error.cause))
      await page.outcome(auth.signIn({ username: 'ada', password: 'wrong' }))
      await auth.signIn({ username: 'ada' })
    }, url)
    server.failNext(1, { status: 500 })
    await opened.evaluate(() => page.outcome(auth.refresh()))
    if (handsOver) {
      await opened.evaluate(() => auth.signOut())
      await opened.evaluate(() => auth.signIn({ username: 'bob' }).then(() => {}))
    }
    expect(await ask('/api/last')).toEqual([200, 200, 200])
    expect(server.refreshes).toBeGreaterThan(2)
  }

  it.each([
    ['in memory', {}],
    ['in a cookie', { cookie: true }],
  ])('finds no token if the session is in a SharedWorker, with its refresh token %s', async (_, worker) => {
    const served = await serve()
    const opened = await connected({ worker })
    await live(opened, served, true)
    const tokens = served.tokens()
    expect(tokens.length).toBeGreaterThan(8)
    expect(await findTokens(opened, tokens)).toEqual([])
    // And after the session has ended.
    served.server.killRefreshTokens()
    await opened.evaluate(() => page.outcome(auth.refresh()))
    await until(opened, () => auth.state === 'authenticated' || auth.state === 'expired')
    await opened.evaluate(() => auth.signOut())
    expect(await findTokens(opened, served.tokens())).toEqual([])
  })

  it('finds no token if each tab has its own worker and an encrypted store', async () => {
    const served = await serve()
    const opened = await connected({ dedicated: true, worker: { shared: true } })
    await live(opened, served, true)
    const databases = await opened.evaluate(async () => (await indexedDB.databases()).length)
    expect(databases).toBe(1)
    expect(await findTokens(opened, served.tokens())).toEqual([])
  })

  it('finds every token if the session is on the page and its store is readable', async () => {
    const served = await serve()
    const opened = await blank()
    await opened.evaluate((settings) => page.openHere(settings), { api: served.url })
    await opened.evaluate(() => auth.signIn({ username: 'ada' }).then(() => {}))
    await live(opened, served, false)
    const newest = served.tokens().slice(-2)
    expect(newest.map((token) => token.slice(0, 2))).toEqual(['ey', 'rt'])
    for (const token of newest) {
      const places = await findTokens(opened, [token])
      expect(places).toContain('localStorage authchart')
      expect(places.some((place) => place.startsWith('heard: answer to fetch'))).toBe(true)
    }
    const sent = served.tokens().filter((token) => token.startsWith('ey'))
    const places = await findTokens(opened, sent)
    expect(places.filter((place) => /^heard: (fetch|XMLHttpRequest)/.test(place)).length).toBeGreaterThan(1)
  })
})
