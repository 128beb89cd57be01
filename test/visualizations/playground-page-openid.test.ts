import type { BrowserContextOptions, Page } from 'playwright-core'
import { describe, expect, it } from 'vitest'
import { expectNoBarriers } from '../bindings/barriers.ts'
import { hasChromium } from '../support/chromium.ts'
import { playgroundSuite, type Tab, TEST_TIME } from './playground-page.ts'

const OPENID = { openid: true }
const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
  colorScheme: 'dark',
}

/** Enters a user name on the page of the provider. */
async function enter(page: Page, user: string) {
  await page.getByLabel('User name').fill(user)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

/** Signs in at the provider, in its popup. */
async function signIn(tab: Tab, user = 'grace') {
  const opened = tab.page.waitForEvent('popup')
  await tab.press('sign-in-openid')
  const popup = await opened
  const closed = popup.waitForEvent('close')
  await enter(popup, user)
  await closed
  await tab.statusIs(`Signed in as ${user}.`)
  await tab.panel.lit('authenticated.refreshable').waitFor()
}

/** Sends a request with a button. Returns its headers, as the API gets them. */
async function sendOne(tab: Tab) {
  const sent = tab.page.waitForRequest((request) => request.url().includes('/api/'))
  await tab.pressAndWait('request', /: 1 of 1 answered\.$/)
  return (await sent).headers()
}

describe.skipIf(!hasChromium)('the OpenID sign-in of the playground', { timeout: TEST_TIME }, () => {
  const { open } = playgroundSuite()

  it('signs in at the provider in a popup, refreshes, and signs out there, too', async () => {
    await using tab = await open({}, OPENID)
    const { page, panel, server } = tab
    await signIn(tab)
    expect(await sendOne(tab)).toMatchObject({ authorization: expect.stringMatching(/^Bearer /) })
    await tab.pressAndWait('refresh', 'Token 2 received.')
    await tab.expire()
    await sendOne(tab)
    await tab.fact('Generation', '3')
    await tab.press('fail-refreshes')
    await tab.statusIs('The next three refreshes will get a 500.')
    await tab.pressAndWait('refresh', 'Token 4 received.')
    await page.reload()
    await panel.lit('authenticated.refreshable').waitFor()
    expect(await tab.subject()).toBe('grace')

    const home = page.url()
    await tab.press('sign-out')
    await page.getByRole('button', { name: /yes/i }).click()
    await page.waitForURL(home)
    await panel.lit('anonymous').waitFor()
    // The token server beside the provider has seen none of this.
    expect(server.log).toEqual([])
    // Who has signed out at the provider is asked again.
    await signIn(tab, 'ada')
  })

  it('binds the tokens to a key of the browser, and the API accepts them with a proof only', async () => {
    await using tab = await open({}, OPENID)
    const { page, panel } = tab
    const reloaded = page.waitForEvent('load')
    await tab.button('bind').check()
    await reloaded
    await panel.lit('anonymous').waitFor()
    await signIn(tab)
    const headers = await sendOne(tab)
    expect(headers).toMatchObject({
      authorization: expect.stringMatching(/^DPoP /),
      dpop: expect.stringMatching(/^ey/),
    })
    const { authorization = '', dpop = '' } = headers
    const steal = (stolen: Record<string, string>, path = '/api/books') =>
      fetch(new URL(path, page.url()), { headers: stolen }).then(({ status }) => status)
    expect(await steal({ authorization })).toBe(401)
    expect(await steal({ authorization: authorization.replace('DPoP', 'Bearer') })).toBe(401)
    expect(await steal({ authorization, dpop }, '/api/elsewhere')).toBe(401)
    expect(await steal({ authorization, dpop })).toBe(200)

    await tab.expire()
    await sendOne(tab)
    await tab.fact('Generation', '2')
    // The proofs of a device whose clock is wrong follow the clock of the API.
    await tab.pressAndWait('skew-clock', 'The clock is an hour ahead.')
    await sendOne(tab)
    await page.reload()
    await panel.lit('authenticated.refreshable').waitFor()
    await tab.pressAndWait('refresh', /^Token \d received\.$/)
    await sendOne(tab)

    await tab.press('kill-refresh-token')
    await tab.statusIs('The next refresh will fail for good: invalid_grant.')
    await tab.pressAndWait('refresh', 'No new token (invalid_grant). The current one is the last.')
  })

  it('leaves the page if the browser blocks the popup, and takes the other sign-in beside it', async () => {
    await using tab = await open(PHONE, OPENID)
    const { page } = tab
    await page.addInitScript(() => {
      globalThis.open = () => null
    })
    await page.reload()
    await tab.button('sign-in-openid').tap()
    await enter(page, 'ada')
    await tab.statusIs('Signed in as ada.')
    expect(new URL(page.url()).search).toBe('')
    await sendOne(tab)
    await tab.button('sign-in-other').tap()
    await tab.statusIs('Signed in as grace.')
    await sendOne(tab)
    await tab.pressAndWait('refresh', 'Token 3 received.')
    await tab.pressAndWait('sign-out', 'Signed out.')
  })

  it('has no accessibility violations and fits a phone, in a dark theme', async () => {
    await using tab = await open(PHONE, OPENID)
    await expectNoBarriers(tab.page)
    const { width, x } = (await tab.page.locator('.openid').boundingBox()) ?? { width: 0, x: 0 }
    expect(width).toBeGreaterThan(250)
    expect(x + width).toBeLessThanOrEqual(390)
  })

  it('says where there is a provider if this page has none', async () => {
    await using tab = await open()
    expect(await tab.page.locator('#sign-in-openid-hint').innerText()).toMatch(
      /on the machine that serves it/,
    )
    expect(await tab.button('sign-in-openid').count()).toBe(0)
  })
})
