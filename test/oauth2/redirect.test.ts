import type { Page } from 'playwright-core'
import { describe, expect, test, vi } from 'vitest'
import { fillUp } from '../support/browsers/fill-storage.ts'
import { hasChromium } from '../support/chromium.ts'
import { browserSuite, loaded, ROUNDS, resultOf, subjectOf } from './browser-suite.ts'

const signIn = (page: Page, hint = 'ada') =>
  page.evaluate((loginHint) => app.signIn({ via: 'redirect', returnTo: '/reports?page=2', loginHint }), hint)

/** Signs in by a redirect, and waits for the session. */
async function redirected(page: Page, hint?: string) {
  await signIn(page, hint)
  await page.waitForURL(/\/callback/)
  await loaded(page)
  return resultOf(page)
}

const times = (counts: ReadonlyMap<string, number>) => [...counts.values()]

describe.skipIf(!hasChromium)('a sign-in by redirect in Chromium', () => {
  const { start, origin } = browserSuite()

  test('returns to the app with a session, a clean address and the path to go on with', async () => {
    const { server, open, logs } = await start()
    const page = await open()
    expect(await redirected(page, 'grace')).toBe('grace')

    expect(page.url()).toBe(`${origin()}/callback`)
    expect(await page.evaluate(() => app.oauth.returnTo)).toBe('/reports?page=2')
    expect(await page.evaluate(() => app.oauth.isCallback)).toBe(true)
    expect(times(server.codes)).toEqual([1])
    expect(logs).toEqual([])
  })

  test('does not leave the page if localStorage is full', async () => {
    const { open } = await start()
    const page = await open()
    await page.evaluate(fillUp)
    await page.reload()
    await loaded(page)
    await signIn(page)
    expect(await resultOf(page)).toBe('storage_failed')
    expect(page.url()).toBe(`${origin()}/`)
  })

  test('shows code, state, nonce and verifier in no log, event, frame, history or address', async () => {
    const { server, open, logs } = await start()
    const page = await open()
    const sent: string[] = []
    page.on('request', (request) => sent.push(request.url(), request.postData() ?? ''))
    await redirected(page)
    const all = [logs.join(), await page.evaluate(() => app.seen())].join()

    const [code = ''] = [...server.codes.keys()]
    const secret = (name: string) =>
      new RegExp(`[?&]?${name}=([\\w-]{43})`).exec(sent.join(' '))?.[1] ?? 'missing'
    for (const name of ['state', 'nonce', 'code_verifier']) {
      expect(secret(name), name).toMatch(/^[\w-]{43}$/)
      expect(all).not.toContain(secret(name))
    }
    expect(code).not.toBe('')
    expect(all).not.toContain(code)
    const stored = await page.evaluate(() => JSON.stringify(localStorage))
    expect(stored).not.toContain(secret('code_verifier'))
  })

  test('leaves the app as it is if the user goes back to pushed parameters that the server has forgotten', async () => {
    const { server, open } = await start({ requiresPar: true })
    const page = await open()
    const address = await page.evaluate(async () => (await app.oauth.authorizationUrl()).href)
    await page.goto(address)
    await loaded(page)
    expect(await resultOf(page)).toBe('ada')

    await page.goto(address)
    await loaded(page)

    expect(page.url()).toContain('error=invalid_request_uri')
    expect(await page.evaluate(() => app.oauth.isCallback)).toBe(false)
    expect(await subjectOf(page)).toBe('ada')
    await page.evaluate(() => app.auth.signOut())
    expect(await redirected(page)).toBe('ada')
    expect(times(server.codes)).toEqual([1, 1])
  })

  test('redeems its code once, however often the page is reloaded, left and returned to', async () => {
    const { server, open } = await start()
    const page = await open()
    for (let round = 0; round < ROUNDS; round++) {
      await redirected(page)
      await page.reload()
      await loaded(page)
      expect(await subjectOf(page)).toBe('ada')
      await page.goBack()
      await page.goForward()
      await loaded(page)
      expect(await subjectOf(page)).toBe('ada')
    }
    expect(times(server.codes)).toEqual(Array(ROUNDS).fill(1))
    await page.evaluate(() => app.auth.refresh())
    expect(server.problems).toEqual([])
  }, 3_600_000)

  test('redeems its code once if effects run twice', async () => {
    const { server, open } = await start({}, { isStrict: true })
    const page = await open()
    for (let round = 0; round < ROUNDS; round++) expect(await redirected(page)).toBe('ada')
    await page.evaluate(() => app.auth.refresh())
    expect(times(server.codes)).toEqual(Array(ROUNDS).fill(1))
    expect(server.problems).toEqual([])
  }, 3_600_000)

  test('redeems its code once if the answer is opened in several tabs at once, and all have the session', async () => {
    const { server, open, answer, profile } = await start()
    const first = await open()
    for (let round = 0; round < Math.ceil(ROUNDS / 5); round++) {
      const url = await answer(first)
      const tabs = await Promise.all(
        Array.from({ length: 4 }, async () => {
          const tab = await profile.newPage()
          await tab.goto(url)
          await loaded(tab)
          return tab
        }),
      )
      expect(await Promise.all(tabs.map(resultOf))).toEqual(Array(4).fill('ada'))
      await Promise.all(tabs.map((tab) => tab.close()))
    }
    expect(times(server.codes)).toEqual(Array(Math.ceil(ROUNDS / 5)).fill(1))
    expect(server.problems).toEqual([])
  }, 3_600_000)

  test('redeems its code at most once if the page is reloaded while it does', async () => {
    const { server, open, answer } = await start()
    const page = await open()
    for (let round = 0; round < ROUNDS; round++) {
      const url = await answer(page)
      await page.goto(url, { waitUntil: 'commit' })
      await page.goto(url, { waitUntil: 'commit' })
      await page.goto(url)
      await loaded(page)
      await resultOf(page)
    }
    expect(Math.max(...times(server.codes))).toBe(1)
    expect(server.problems).toEqual([])
  }, 3_600_000)

  test('does not redeem its code in a page that is only prerendered', async () => {
    const { server, open, answer, profile } = await start()
    const url = await answer(await open())
    const page = await profile.newPage()
    await page.addInitScript(() => Object.defineProperty(document, 'prerendering', { value: true }))
    await page.goto(url)
    await loaded(page)
    expect(page.url()).toBe(`${origin()}/callback`)
    expect(times(server.codes)).toEqual([])
    await page.evaluate(() => document.dispatchEvent(new Event('prerenderingchange')))
    expect(await resultOf(page)).toBe('ada')
    expect(times(server.codes)).toEqual([1])
  })

  test('does not redeem an answer that another browser asked for', async () => {
    const { server, open, answer } = await start()
    const victim = await start()
    victim.change({ issuer: server.url })
    const url = await answer(await open())
    const page = await victim.open()
    await page.goto(url)
    await loaded(page)
    expect(await resultOf(page)).toBe('unknown_state')
    expect(times(server.codes)).toEqual([])
  })

  test('succeeds in eight tabs at once, without an error of state', async () => {
    const { server, open } = await start({}, { isSeparate: true })
    // The server has a session already: it cannot start eight at once in one browser.
    await redirected(await open())
    const tabs = await Promise.all(Array.from({ length: 8 }, () => open()))
    const rounds = Math.min(20, Math.ceil(ROUNDS / 5))
    const results = await Promise.all(
      tabs.map(async (tab) => {
        const own: (string | undefined)[] = []
        for (let round = 0; round < rounds; round++) own.push(await redirected(tab))
        return own
      }),
    )
    expect(results).toEqual(tabs.map(() => Array(rounds).fill('ada')))
    expect(times(server.codes)).toEqual(Array(8 * rounds + 1).fill(1))
    expect(server.problems).toEqual([])
  }, 3_600_000)

  test('leaves all of eight tabs signed in that share a session and sign in at once', async () => {
    const { server, open } = await start()
    const first = await open()
    await redirected(first)
    await first.evaluate(() => app.auth.signOut())
    const tabs = await Promise.all(Array.from({ length: 8 }, () => open()))
    await Promise.all(tabs.map((tab) => signIn(tab)))
    for (const tab of tabs) {
      await vi.waitUntil(
        () => tab.evaluate(() => globalThis.app?.auth.state === 'authenticated').catch(() => false),
        {
          timeout: 30_000,
        },
      )
    }
    await Promise.all(tabs.map(async (tab) => expect(await subjectOf(tab)).toBe('ada')))
    await tabs[0]?.evaluate(() => app.auth.refresh())
    expect(new Set(times(server.codes))).toEqual(new Set([1]))
    expect(server.problems).toEqual([])
  }, 120_000)
})

describe.skipIf(!hasChromium)('a page with unsaved input that asks whether to leave it', () => {
  const { start, origin } = browserSuite()

  test('rejects the sign-in if the user stays, and its requests no longer wait', async () => {
    const { open } = await start()
    const page = await open()
    page.once('dialog', (dialog) => dialog.dismiss())
    await page.evaluate(() => addEventListener('beforeunload', (event) => event.preventDefault()))
    // Browsers ask only in a page that was used.
    await page.mouse.click(1, 1)
    await signIn(page)
    expect(await resultOf(page)).toBe('cancelled')
    expect(page.url()).toBe(`${origin()}/`)
    expect(await page.evaluate(() => app.auth.state)).toBe('anonymous')
    page.once('dialog', (dialog) => dialog.accept())
    expect(await redirected(page)).toBe('ada')
  })
})

describe.skipIf(!hasChromium)('a page whose router is about to change it', () => {
  const { start } = browserSuite()

  test('is left for a sign-in that is not rejected meanwhile', async () => {
    const { open } = await start()
    const page = await open()
    await page.evaluate(() => {
      const navigation = globalThis.navigation as Navigation
      const listen = (event: NavigateEvent) => {
        if (event.destination.url.endsWith('/next')) event.intercept({ handler: () => new Promise(() => {}) })
      }
      navigation.addEventListener('navigate', listen)
      navigation.navigate('/next').finished?.catch(() => {})
      app.auth
        .signIn({ via: 'redirect' })
        .catch(({ reason }) => sessionStorage.setItem('rejected', String(reason)))
    })
    await page.waitForURL(/\/callback$/)
    await loaded(page)
    expect(await resultOf(page)).toBe('ada')
    expect(await page.evaluate(() => sessionStorage.getItem('rejected'))).toBe(null)
  })
})

describe.skipIf(!hasChromium)('a silent sign-in in Chromium', () => {
  const { start, origin } = browserSuite()
  const silently = async (page: Page) => {
    await page.evaluate(() => app.signIn({ via: 'silent' }))
    await page.waitForURL(/\/callback/)
    await loaded(page)
    return resultOf(page)
  }

  test('signs in a user who has a session at the server', async () => {
    const { open, profile } = await start()
    const page = await open()
    await redirected(page)
    await page.evaluate(() => app.auth.signOut())
    const other = await profile.newPage()
    await other.goto(`${origin()}/`)
    await loaded(other)
    expect(await silently(other)).toBe('ada')
  })

  test('is tried once in a visit, so that the page does not go in circles', async () => {
    const { server, open } = await start()
    const page = await open()
    expect(await silently(page)).toBe('login_required')
    const before = server.requests.length

    await page.evaluate(() => app.signIn({ via: 'silent' }))

    expect(await resultOf(page)).toBe('silent_tried')
    expect(server.requests).toHaveLength(before)
    expect(await page.evaluate(() => app.auth.state)).toBe('anonymous')
  })
})

describe.skipIf(!hasChromium)('a sign-out in Chromium', () => {
  const { start, origin } = browserSuite()

  test('ends the session at the server, too, and returns to the app', async () => {
    const { server, open } = await start()
    const page = await open()
    await redirected(page)
    await page.reload()
    await loaded(page)

    await page.evaluate(async () => {
      const url = await app.oauth.signOutUrl(app.auth, { state: 'bye' })
      await app.auth.signOut()
      if (url) location.assign(url)
    })
    await page.waitForURL(/signed-out/)

    expect(page.url()).toBe(`${origin()}/signed-out?state=bye`)
    await loaded(page)
    expect(await subjectOf(page)).toBeUndefined()
    expect(server.problems).toEqual([])
    await page.evaluate(() => app.signIn({ via: 'silent' }))
    await page.waitForURL(/\/callback/)
    await loaded(page)
    expect(await resultOf(page)).toBe('login_required')
  })
})

describe.skipIf(!hasChromium)('a page that is left for a sign-in', () => {
  const { start } = browserSuite({ isPlain: true })

  test('rejects the sign-in if the user comes back to it from the back/forward cache', async () => {
    const { open } = await start({}, { authorizationPage: '/elsewhere' })
    const page = await open()
    await signIn(page)
    await page.waitForURL(/elsewhere/)
    await page.goBack({ waitUntil: 'commit' })
    await vi.waitUntil(() => page.evaluate(() => 'app' in globalThis), { timeout: 15_000 })
    const [entry] = await page.evaluate(() =>
      performance
        .getEntriesByType('navigation')
        .map((entry) => (entry as { notRestoredReasons?: unknown }).notRestoredReasons ?? null),
    )
    expect(entry, 'reasons why the page was not restored').toBe(null)
    expect(await resultOf(page)).toBe('cancelled')
    expect(await page.evaluate(() => app.auth.state)).toBe('anonymous')
  })
})
