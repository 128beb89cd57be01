import type { Page } from 'playwright-core'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { browserSuite, loaded, ROUNDS, resultOf, subjectOf } from './browser-suite.ts'

const times = (counts: ReadonlyMap<string, number>) => [...counts.values()]

/** Clicks the button of the page. Returns the popup that it opens. */
async function click(page: Page): Promise<Page> {
  const [popup] = await Promise.all([page.waitForEvent('popup'), page.click('button')])
  return popup
}

/** The user signs in once `release` is called. */
function slowUser() {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  // The server could not close otherwise.
  onTestFinished(() => release())
  return { untilSignIn: () => released, release: () => release() }
}

describe.skipIf(!hasChromium)('a sign-in by popup in Chromium', () => {
  const { start, origin } = browserSuite()

  test.each([
    ['', false],
    [' of a server with Cross-Origin-Opener-Policy', true],
  ])(
    'signs the page in and closes the popup%s',
    async (_, coop) => {
      const { server, open, logs } = await start({ coop })
      const page = await open()
      for (let round = 0; round < ROUNDS; round++) {
        const popup = await click(page)
        const closed = popup.isClosed() || popup.waitForEvent('close', { timeout: 15_000 })
        expect(await resultOf(page)).toBe('ada')
        await closed
      }
      expect(page.url()).toBe(`${origin()}/`)
      expect(times(server.codes)).toEqual(Array(ROUNDS).fill(1))
      expect(server.problems).toEqual([])
      expect(logs).toEqual([])
    },
    3_600_000,
  )

  test('leaves the page if the browser blocks the popup', async () => {
    const { open } = await start()
    const page = await open()
    await page.evaluate(() => {
      window.open = () => null
    })
    await page.click('button')
    await page.waitForURL(/\/callback/)
    await loaded(page)
    expect(await resultOf(page)).toBe('ada')
  })

  test.each([false, true])('waits two minutes after the popup looks closed (COOP: %s)', async (coop) => {
    const { untilSignIn } = slowUser()
    const { open } = await start({ coop, untilSignIn }, { isFast: true })
    const page = await open()
    const popup = await click(page)
    await popup.close()
    expect(await resultOf(page)).toBe('popup_closed')
    expect(await page.evaluate(() => app.auth.state)).toBe('anonymous')
  })

  test('completes in the popup if the page that opened it was closed', async () => {
    const { untilSignIn, release } = slowUser()
    const { server, open } = await start({ untilSignIn })
    const page = await open()
    const popup = await click(page)
    await vi.waitUntil(() => server.requests.some((request) => request.includes('/sign-in/')), {
      timeout: 15_000,
    })
    await page.close()
    release()
    await popup.waitForURL(/\/callback/)
    await loaded(popup)
    expect(await resultOf(popup)).toBe('ada')
    expect(times(server.codes)).toEqual([1])
  })

  test('works if the page keeps its sign-ins where the popup cannot find them', async () => {
    const { server, open } = await start({ coop: true }, { memory: true })
    const page = await open()
    await click(page)
    expect(await resultOf(page)).toBe('ada')
    expect(times(server.codes)).toEqual([1])
  })

  test('closes the popup when another sign-in replaces it', async () => {
    const { untilSignIn } = slowUser()
    const { open } = await start({ untilSignIn })
    const page = await open()
    const popup = await click(page)
    const closed = popup.waitForEvent('close')
    await page.evaluate(() => app.auth.signOut())
    await closed
    expect(await subjectOf(page)).toBeUndefined()
  })

  test('says what is missing if no window is given', async () => {
    const { open } = await start()
    const page = await open()
    await page.evaluate(() => app.signIn({ via: 'popup' } as never))
    expect(await resultOf(page)).toContain('oauth.openPopup()')
  })
})
