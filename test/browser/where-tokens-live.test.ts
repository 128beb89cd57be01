import type { BrowserContext } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import type { Tab } from '../support/browsers/tab.ts'
import { hasChromium } from '../support/chromium.ts'
import type { TabOptions } from './tab-session.ts'
import { tabsSuite } from './tabs-suite.ts'
import { findTokens, recordTalk } from './token-search.ts'

/** A page can read its own requests and responses in every mode. These tests are about stored tokens, so ignore them. */
const OWN_REQUESTS = /^heard: (answer to )?fetch|^window\[Symbol\(heard\)\]/

describe.skipIf(!hasChromium)('the tokens of a session', () => {
  const { serve, profile, start } = tabsSuite()

  /** Collects every token that the server sends, in a body or a cookie. */
  function collect(context: BrowserContext) {
    const texts: Promise<string>[] = []
    context.on('response', (response) => {
      if (new URL(response.url()).pathname !== '/token' || response.request().method() !== 'POST') return
      texts.push(response.text(), response.headerValue('set-cookie').then(String))
    })
    return async (kind: 'at' | 'rt') => {
      const text = (await Promise.all(texts)).join(' ')
      return text.match(new RegExp(`([\\w-]+\\.){0,2}${kind}-\\d+-\\d+-[0-9a-f]{32}`, 'g')) ?? []
    }
  }

  /** The places where one of the tokens was found. */
  const places = async (pages: readonly Tab[], tokens: readonly string[]) => {
    const found = await Promise.all(pages.map((page) => findTokens(page, tokens)))
    return [...new Set(found.flat().filter((place) => !OWN_REQUESTS.test(place)))]
  }

  /** Creates a session that two tabs have used and refreshed. */
  async function usedSession(options: TabOptions) {
    await serve({ jwt: true, secureCookie: true, csrfHeader: 'x-requested-by' })
    const { context, open } = await profile()
    await recordTalk(context)
    const issued = collect(context as BrowserContext)
    const page = await open()
    const other = await open()
    await start(page, options)
    await page.evaluate(() => tab.signIn('ada'))
    await start(other, options)
    const shares = await other.evaluate(() => tab.state() === 'authenticated')
    if (!shares) await other.evaluate(() => tab.signIn('ada'))
    for (const each of [page, other]) {
      await each.evaluate(() => tab.refresh())
      expect(await each.evaluate(() => tab.request('/api/hello'))).toBe('200')
    }
    return { pages: [page, other] as const, access: await issued('at'), refresh: await issued('rt') }
  }

  const NOWHERE: [string, TabOptions][] = [
    ['in memory', { store: 'memory' }],
    ['in an encrypted store', { store: 'encrypted' }],
    ['in a cookie', { store: 'memory', cookie: true }],
    ['in a cookie, with a record', { cookie: true, auth: { persist: 'refresh-token' } }],
    ["in localStorage with persist: 'none'", { auth: { persist: 'none' } }],
  ]

  it.each(NOWHERE)('are found nowhere if it is %s', async (_, options) => {
    const { pages, access, refresh } = await usedSession(options)
    expect(await places(pages, [...access, ...refresh])).toEqual([])
  })

  /** localStorage, and the storage events that notify other tabs of its old and new value. */
  const LOCAL_STORAGE =
    /^localStorage authchart$|^heard: window storage\.0\.(old|new)Value$|\.storageArea\.authchart$/

  it('are in localStorage with webStorage, until the user signs out', async () => {
    const { pages, access, refresh } = await usedSession({})
    for (const tokens of [access, refresh]) {
      const found = await places(pages, tokens)
      expect(found).toContain('localStorage authchart')
      expect(found.filter((place) => !LOCAL_STORAGE.test(place))).toEqual([])
    }
    await pages[0].evaluate(() => tab.signOut())
    const remaining = await places(pages, [...access, ...refresh])
    expect(remaining.filter((place) => !place.startsWith('heard: '))).toEqual([])
  })

  it("are in localStorage with persist: 'refresh-token', except for the access token", async () => {
    const { pages, access, refresh } = await usedSession({ auth: { persist: 'refresh-token' } })
    expect(await places(pages, access)).toEqual([])
    const found = await places(pages, refresh)
    expect(found).toContain('localStorage authchart')
    expect(found.filter((place) => !LOCAL_STORAGE.test(place))).toEqual([])
    const last = refresh.at(-1) ?? ''
    const spent = refresh.slice(0, -1)
    for (const page of pages) {
      const text = await page.evaluate(() => JSON.stringify(tab.stored()))
      expect(text).toContain(last)
      for (const token of spent) expect(text).not.toContain(token)
    }
  })
})
