import type { Page } from 'playwright-core'
import { describe, expect, test, vi } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import type { SetUp } from './app.page.ts'
import { browserSuite, loaded, resultOf, subjectOf } from './browser-suite.ts'
import type { ProviderOptions } from './provider.ts'
import { startResourceServer } from './resource-server.ts'

const eventsOf = (page: Page) => page.evaluate(() => app.auth.history.map(({ type }) => type))

describe.skipIf(!hasChromium)('a step-up in Chromium', () => {
  const { start, origin } = browserSuite()

  /** A page in which Ada is signed in, and an API that may ask for more. */
  async function signedIn(stepUp: SetUp['stepUp'], options?: ProviderOptions) {
    const made = await start(options)
    const resource = await startResourceServer(made.server)
    made.change({ resource: resource.url, ...(stepUp && { stepUp }) })
    const page = await made.open('/reports?page=2#total')
    await page.evaluate(() => app.signIn({ via: 'redirect' }))
    await page.waitForURL(/\/callback/)
    await loaded(page)
    expect(await resultOf(page)).toBe('ada')
    return { ...made, page, resource }
  }

  test.each([false, true])(
    'by popup sends what was refused again, in the same session in all tabs (COOP: %s)',
    async (coop) => {
      const { page, open, resource, server, logs } = await signedIn('popup', { coop })
      const other = await open()
      expect(await subjectOf(other)).toBe('ada')
      const before = await page.evaluate(() => app.auth.session?.epoch)

      const statuses = page.evaluate(() => app.call('/mfa', 10))
      await page.waitForSelector('#again')
      const [popup] = await Promise.all([page.waitForEvent('popup'), page.click('#again')])
      const closed = popup.isClosed() || popup.waitForEvent('close', { timeout: 60_000 })
      expect(await statuses).toEqual(Array(10).fill(200))
      await closed

      expect(resource.count('/mfa 401')).toBe(10)
      expect(await page.evaluate(() => app.auth.session?.epoch)).toBe(before)
      // The other tab has the tokens, and knows of no other sign-in.
      await vi.waitUntil(async () => (await eventsOf(other)).includes('refreshed'), { timeout: 60_000 })
      expect(await other.evaluate(() => app.call('/mfa'))).toEqual([200])
      expect(resource.count('/mfa 401')).toBe(10)
      for (const tab of [page, other]) expect(await eventsOf(tab)).not.toContain('signedOut')
      expect((await eventsOf(other)).filter((type) => type === 'signedIn')).toEqual([])
      expect(server.problems).toEqual([])
      expect(logs.filter((line) => !line.includes('401'))).toEqual([])
    },
    120_000,
  )

  test('by redirect comes back to the page as the same user, and no tab is signed out', async () => {
    const { page, open, resource, server } = await signedIn('redirect')
    await page.goto(`${origin()}/reports?page=2#total`)
    await loaded(page)
    const other = await open()
    expect(await subjectOf(other)).toBe('ada')

    const before = (await eventsOf(other)).length

    await page.evaluate(() => void app.call('/mfa'))
    await page.waitForURL(/\/callback/)
    await loaded(page)
    expect(await resultOf(page)).toBe('ada')
    expect(await page.evaluate(() => app.oauth.returnTo)).toBe('/reports?page=2#total')
    // The tokens went into the session that all tabs have, and those of before are not revoked.
    await vi.waitUntil(async () => (await eventsOf(other)).length > before, { timeout: 60_000 })
    const user = () => [app.auth.session?.claims?.iss, app.auth.session?.claims?.sub]
    expect(await other.evaluate(user)).toEqual(await page.evaluate(user))
    expect(server.requests.filter((line) => line.includes('revocation'))).toEqual([])
    expect(await page.evaluate(() => app.call('/mfa'))).toEqual([200])
    await vi.waitUntil(async () => (await other.evaluate(() => app.call('/mfa')))[0] === 200, {
      timeout: 60_000,
    })
    expect(resource.count('/mfa 200')).toBeGreaterThan(1)
    expect(await eventsOf(other)).not.toContain('signedOut')
  }, 120_000)

  test('by redirect does not go in circles if the API refuses the new tokens, too', async () => {
    const { page, server } = await signedIn('redirect')
    // However long the rounds take, they are within a minute.
    await page.clock.setFixedTime(new Date())
    for (let round = 0; round < 3; round++) {
      await page.evaluate(() => void app.call('/impossible'))
      await vi.waitUntil(() => server.codes.size === round + 2, { timeout: 60_000 })
      await page.waitForURL(/\/callback$/)
      await loaded(page)
      expect(await resultOf(page)).toBe('ada')
    }
    expect(await page.evaluate(() => app.call('/impossible'))).toEqual([401])
    expect(await subjectOf(page)).toBe('ada')
  }, 120_000)

  test('by redirect that the user declines keeps the session', async () => {
    const { page, resource } = await signedIn('redirect')
    await page.evaluate(() => app.signIn({ via: 'redirect', loginHint: 'nobody', prompt: 'login' }))
    await page.waitForURL(/\/callback/)
    await loaded(page)
    expect(await resultOf(page)).toBe('access_denied')
    expect(await subjectOf(page)).toBe('ada')
    expect(await page.evaluate(() => app.call('/'))).toEqual([200])
    expect(resource.count('/ 200')).toBe(1)
  }, 120_000)

  test('by redirect as another user is refused on the callback page, and the session stays', async () => {
    const { page } = await signedIn('redirect')
    const user = await page.evaluate(() => ({ iss: String(app.auth.session?.claims?.iss), sub: 'grace' }))
    await page.evaluate((given) => app.signIn({ via: 'redirect', user: given }), user)
    await page.waitForURL(/\/callback/)
    await loaded(page)
    expect(await resultOf(page)).toBe('another_user')
    expect(await subjectOf(page)).toBe('ada')
  }, 120_000)
})
