/** What every binding does: the behaviour of its example, in Chromium, against the token server. */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { expectNoBarriers } from './barriers.ts'
import { createRig, type Rig, type RigOptions } from './rig.ts'

/**
 * Declares the tests of a binding.
 *
 * @param name of the framework, for the titles
 * @param options which example shows it
 */
export function describeBinding(name: string, options: RigOptions): void {
  describe.skipIf(!hasChromium)(`${name}, in Chromium`, () => {
    let rig: Rig

    beforeAll(async () => {
      rig = await createRig(options)
    }, 120_000)
    afterAll(() => rig?.close())
    beforeEach(() => rig.server.reset())
    afterEach(async () => {
      await rig.closePages()
      expect(rig.problems.splice(0)).toEqual([])
    })

    const part = (page: Page, id: string) => page.getByTestId(id)
    const press = (page: Page, id: string) => part(page, id).click()
    const sees = (page: Page, id: string) => part(page, id).waitFor()
    const misses = (page: Page, id: string) => part(page, id).waitFor({ state: 'detached' })
    const says = (page: Page, id: string, text: string) => part(page, id).filter({ hasText: text }).waitFor()

    const enter = async (page: Page, password = 'correct', username = 'ada') => {
      await part(page, 'username').fill(username)
      await part(page, 'password').fill(password)
      await press(page, 'sign-in')
    }
    /** Somebody who is signed in, and has seen nothing yet. */
    const signedIn = async (...how: Parameters<Rig['open']>) => {
      const page = await rig.open(...how)
      await sees(page, 'view-signed-out')
      await enter(page)
      await sees(page, 'view-signed-in')
      await page.evaluate(() => watch.views.splice(0))
      return page
    }
    const views = (page: Page) => page.evaluate(() => [...watch.views])
    const draws = (page: Page) => page.evaluate(() => example.draws.user)
    const generation = (page: Page) => page.evaluate(() => example.auth.session?.generation)

    it('shows that the session is looked for, and then that there is none', async () => {
      const silent = rig.server.holdNext()
      const page = await rig.open()
      await silent.arrived
      await sees(page, 'view-restoring')
      silent.answer()
      await sees(page, 'view-signed-out')
      expect(await views(page)).toEqual(['view-restoring', 'view-signed-out'])
    })

    it('shows the session that is found, and never a form before it', async () => {
      const page = await signedIn()
      const silent = rig.server.holdNext()
      await page.reload()
      await silent.arrived
      await sees(page, 'view-restoring')
      silent.answer()
      await says(page, 'user', 'ada')
      expect(await views(page)).toEqual(['view-restoring', 'view-signed-in'])
    })

    it('signs in, and keeps the form where the password is wrong', async () => {
      const page = await rig.open()
      await sees(page, 'view-signed-out')
      const form = await part(page, 'password').elementHandle()
      const first = rig.server.holdNext()
      await enter(page, 'wrong')
      await first.arrived
      // It is drawn with the next frame, and the request may be faster.
      await expect.poll(() => part(page, 'sign-in').isDisabled()).toBe(true)
      first.answer()
      await says(page, 'sign-in-error', 'Wrong')
      expect(await part(page, 'password').evaluate((now, before) => now === before, form)).toBe(true)
      await enter(page)
      await says(page, 'user', 'ada')
      await says(page, 'state', 'Signed in')
      expect(await views(page)).toEqual(['view-restoring', 'view-signed-out', 'view-signed-in'])
    })

    it('renews once for 50 requests at once, and shows nothing else meanwhile', async () => {
      const page = await signedIn()
      rig.server.expireAccessTokens()
      const renewal = rig.server.holdNext()
      await press(page, 'burst')
      await renewal.arrived
      await says(page, 'state', 'Renewing')
      await sees(page, 'view-signed-in')
      renewal.answer()
      await says(page, 'message', '50 of 50 answered, with one new token.')
      await says(page, 'state', 'Signed in')
      expect(await views(page)).toEqual([])
      expect(await part(page, 'view-signed-in').count()).toBe(1)
      expect(rig.server.refreshes).toBe(1)
    })

    it('draws what shows the user alone no more often for a renewal', async () => {
      const page = await signedIn()
      const before = await draws(page)
      expect(before).toBeGreaterThan(0)
      const first = await generation(page)
      const renewal = rig.server.holdNext()
      const renewed = page.evaluate(() => example.auth.refresh().then(({ generation }) => generation))
      await renewal.arrived
      await says(page, 'state', 'Renewing')
      renewal.answer()
      expect(await renewed).toBe((first ?? 0) + 1)
      await says(page, 'generation', `no. ${(first ?? 0) + 1}`)
      expect(await draws(page)).toBe(before)
      expect(await views(page)).toEqual([])
    })

    it('keeps the session and its view while it cannot be renewed', async () => {
      const page = await signedIn()
      rig.server.expireAccessTokens()
      rig.server.failNext()
      await press(page, 'load')
      await page.getByText('Solaris').waitFor()
      expect(rig.server.tokenRequests).toBeGreaterThan(1)
      expect(await views(page)).toEqual([])
    })

    it('asks to sign in again over the page, and then sends what has waited', async () => {
      const page = await signedIn()
      const desk = await part(page, 'view-signed-in').elementHandle()
      await press(page, 'end-session')
      await says(page, 'message', 'over on the server')
      await press(page, 'load')
      await sees(page, 'expired-dialog')
      await says(page, 'held', 'One request waits')
      await says(page, 'user', 'ada')

      const dialog = part(page, 'expired-dialog')
      expect(await dialog.getByTestId('username').inputValue()).toBe('ada')
      expect(await page.evaluate(() => document.activeElement?.getAttribute('data-testid'))).toBe('password')
      await enter(page, 'wrong')
      await says(page, 'sign-in-error', 'Wrong')
      await enter(page)
      await misses(page, 'expired-dialog')
      await page.getByText('Solaris').waitFor()
      expect(await views(page)).toEqual(['expired-dialog'])
      expect(await part(page, 'load').evaluate((button) => button === document.activeElement)).toBe(true)
      expect(await part(page, 'view-signed-in').evaluate((now, before) => now === before, desk)).toBe(true)
    })

    it('turns away what has waited where the user leaves instead', async () => {
      const page = await signedIn()
      await press(page, 'end-session')
      await says(page, 'message', 'over on the server')
      const waiting = page.evaluate(() => example.api('/api/items').catch(({ name }: Error) => name))
      await sees(page, 'expired-dialog')
      await press(page, 'leave')
      expect(await waiting).toBe('SignedOutError')
      await sees(page, 'view-signed-out')
      await misses(page, 'expired-dialog')
    })

    it('does not close the question with the Escape key', async () => {
      const page = await signedIn()
      await press(page, 'end-session')
      await says(page, 'message', 'over on the server')
      await press(page, 'load')
      await sees(page, 'expired-dialog')
      await page.keyboard.press('Escape')
      await page.keyboard.press('Escape')
      expect(
        await part(page, 'expired-dialog').evaluate((dialog) => (dialog as HTMLDialogElement).open),
      ).toBe(true)
      await enter(page)
      await misses(page, 'expired-dialog')
    })

    it('signs out, and somebody else signs in', async () => {
      const page = await signedIn()
      await press(page, 'sign-out')
      await sees(page, 'view-signed-out')
      await misses(page, 'view-signed-in')
      await enter(page, 'correct', 'grace')
      await says(page, 'user', 'grace')
      expect(rig.server.revocations).toBe(1)
    })

    it('warns before it signs out who is away, and lets them stay', async () => {
      const page = await signedIn('/?idle=60', { prepare: (context) => context.clock.install() })
      const { clock } = page
      await clock.runFor(20_000)
      expect(await part(page, 'idle-warning').count()).toBe(0)
      await clock.runFor(15_000)
      await says(page, 'idle-time', '25 s')
      await press(page, 'stay')
      await misses(page, 'idle-warning')
      await clock.runFor(45_000)
      await says(page, 'idle-time', '15 s')
      await clock.runFor(16_000)
      await sees(page, 'expired-dialog')
      await says(page, 'expired-reason', 'away')
    })

    it('leaves nobody listening when it is unmounted, a hundred times', async () => {
      const page = await signedIn()
      const counts = () => page.evaluate(() => watch.counts())
      const unmount = () => page.evaluate(() => example.unmount())
      await page.waitForFunction(() => (watch.counts().subscriptions ?? 0) > 0)
      await unmount()
      await expect.poll(counts).toMatchObject({ subscriptions: 0 })
      const before = await counts()

      await page.evaluate(async () => {
        for (let cycle = 0; cycle < 100; cycle++) {
          example.mount()
          while (!watch.counts().subscriptions || !document.querySelector('[data-testid="countdown"]'))
            await new Promise((resolve) => requestAnimationFrame(resolve))
          if (cycle < 99) example.unmount()
        }
      })
      await says(page, 'user', 'ada')
      await unmount()
      await expect.poll(counts).toEqual(before)
    })

    it('is free of barriers in each view, in the light and in the dark', async () => {
      const page = await rig.open()
      await sees(page, 'view-signed-out')
      await expectNoBarriers(page)
      await enter(page)
      await press(page, 'load')
      await page.getByText('Solaris').waitFor()
      await expectNoBarriers(page)
      await press(page, 'end-session')
      await says(page, 'message', 'over on the server')
      await press(page, 'load')
      await sees(page, 'expired-dialog')
      await expectNoBarriers(page)
    })
  })
}
