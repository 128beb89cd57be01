/** The tests of every binding: the behavior of its example, in Chromium, against the token server. */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { expectNoBarriers } from './barriers.ts'
import { createHarness, type Harness, type HarnessOptions } from './harness.ts'

/**
 * Declares the tests of a binding.
 *
 * @param name the name of the framework, for the titles
 * @param options the example to test
 */
export function describeBinding(name: string, options: HarnessOptions): void {
  describe.skipIf(!hasChromium)(`${name}, in Chromium`, () => {
    let harness: Harness

    beforeAll(async () => {
      harness = await createHarness(options)
    }, 120_000)
    afterAll(() => harness?.close())
    beforeEach(() => harness.server.reset())
    afterEach(async () => {
      await harness.closePages()
      expect(harness.problems.splice(0)).toEqual([])
    })

    const example = driveExample(() => harness)
    testSignIn(example)
    testRefresh(example)
    testExpiry(example)
    testPage(example)
  })
}

/** Functions that operate the example in a page. */
function driveExample(harness: () => Harness) {
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
  /** Opens a page with a signed-in user, and clears its record of views. */
  const signedIn = async (...how: Parameters<Harness['open']>) => {
    const page = await harness().open(...how)
    await sees(page, 'view-signed-out')
    await enter(page)
    await sees(page, 'view-signed-in')
    await page.evaluate(() => watch.views.splice(0))
    return page
  }
  const views = (page: Page) => page.evaluate(() => [...watch.views])
  const draws = (page: Page) => page.evaluate(() => example.draws.user)
  const generation = (page: Page) => page.evaluate(() => example.auth.session?.generation)
  return { harness, part, press, sees, misses, says, enter, signedIn, views, draws, generation }
}

type Example = ReturnType<typeof driveExample>

/** Tests of restoring, sign-in and sign-out. */
function testSignIn({ harness, part, press, sees, misses, says, enter, signedIn, views }: Example): void {
  it('shows the restoring view, and then the signed-out view without a session', async () => {
    const silent = harness().server.holdNext()
    const page = await harness().open()
    await silent.arrived
    await sees(page, 'view-restoring')
    silent.answer()
    await sees(page, 'view-signed-out')
    expect(await views(page)).toEqual(['view-restoring', 'view-signed-out'])
  })

  it('shows the restored session, and never the sign-in form before it', async () => {
    const page = await signedIn()
    const silent = harness().server.holdNext()
    await page.reload()
    await silent.arrived
    await sees(page, 'view-restoring')
    silent.answer()
    await says(page, 'user', 'ada')
    expect(await views(page)).toEqual(['view-restoring', 'view-signed-in'])
  })

  it('signs in, and keeps the form after a wrong password', async () => {
    const page = await harness().open()
    await sees(page, 'view-signed-out')
    const form = await part(page, 'password').elementHandle()
    const first = harness().server.holdNext()
    await enter(page, 'wrong')
    await first.arrived
    // The button is rendered with the next frame, which may come after the request.
    await expect.poll(() => part(page, 'sign-in').isDisabled()).toBe(true)
    first.answer()
    await says(page, 'sign-in-error', 'Wrong')
    expect(await part(page, 'password').evaluate((now, before) => now === before, form)).toBe(true)
    await enter(page)
    await says(page, 'user', 'ada')
    await says(page, 'state', 'Signed in')
    expect(await views(page)).toEqual(['view-restoring', 'view-signed-out', 'view-signed-in'])
  })

  it('signs out, and another user signs in', async () => {
    const page = await signedIn()
    await press(page, 'sign-out')
    await sees(page, 'view-signed-out')
    await misses(page, 'view-signed-in')
    await enter(page, 'correct', 'grace')
    await says(page, 'user', 'grace')
    expect(harness().server.revocations).toBe(1)
  })
}

/** Tests of a refresh, which the page hardly shows. */
function testRefresh({
  harness,
  part,
  press,
  sees,
  says,
  signedIn,
  views,
  draws,
  generation,
}: Example): void {
  it('refreshes once for 50 concurrent requests, and keeps its view in the meantime', async () => {
    const page = await signedIn()
    harness().server.expireAccessTokens()
    const refresh = harness().server.holdNext()
    await press(page, 'burst')
    await refresh.arrived
    await says(page, 'state', 'Refreshing')
    await sees(page, 'view-signed-in')
    refresh.answer()
    await says(page, 'message', '50 of 50 answered, with one new token.')
    await says(page, 'state', 'Signed in')
    expect(await views(page)).toEqual([])
    expect(await part(page, 'view-signed-in').count()).toBe(1)
    expect(harness().server.refreshes).toBe(1)
  })

  it('does not render the component of the user again for a refresh', async () => {
    const page = await signedIn()
    const before = await draws(page)
    expect(before).toBeGreaterThan(0)
    const first = await generation(page)
    const refresh = harness().server.holdNext()
    const refreshed = page.evaluate(() => example.auth.refresh().then(({ generation }) => generation))
    await refresh.arrived
    await says(page, 'state', 'Refreshing')
    refresh.answer()
    expect(await refreshed).toBe((first ?? 0) + 1)
    await says(page, 'generation', `no. ${(first ?? 0) + 1}`)
    expect(await draws(page)).toBe(before)
    expect(await views(page)).toEqual([])
  })

  it('keeps the session and its view while a refresh fails', async () => {
    const page = await signedIn()
    harness().server.expireAccessTokens()
    harness().server.failNext()
    await press(page, 'load')
    await page.getByText('Solaris').waitFor()
    expect(harness().server.tokenRequests).toBeGreaterThan(1)
    expect(await views(page)).toEqual([])
  })
}

/** Tests of an expired session, and of the dialog that asks to sign in again. */
function testExpiry({ part, press, sees, misses, says, enter, signedIn, views }: Example): void {
  it('asks the user to sign in again in a dialog, and then sends the held requests', async () => {
    const page = await signedIn()
    const desk = await part(page, 'view-signed-in').elementHandle()
    await press(page, 'end-session')
    await says(page, 'message', 'ended on the server')
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

  it('rejects held requests if the user signs out instead', async () => {
    const page = await signedIn()
    await press(page, 'end-session')
    await says(page, 'message', 'ended on the server')
    const waiting = page.evaluate(() => example.api('/api/items').catch(({ name }: Error) => name))
    await sees(page, 'expired-dialog')
    await press(page, 'leave')
    expect(await waiting).toBe('SignedOutError')
    await sees(page, 'view-signed-out')
    await misses(page, 'expired-dialog')
  })

  it('does not close the dialog with the Escape key', async () => {
    const page = await signedIn()
    await press(page, 'end-session')
    await says(page, 'message', 'ended on the server')
    await press(page, 'load')
    await sees(page, 'expired-dialog')
    await page.keyboard.press('Escape')
    await page.keyboard.press('Escape')
    expect(await part(page, 'expired-dialog').evaluate((dialog) => (dialog as HTMLDialogElement).open)).toBe(
      true,
    )
    await enter(page)
    await misses(page, 'expired-dialog')
  })

  it('warns before an inactive session expires, and lets the user stay', async () => {
    const page = await signedIn('/?idle=60', { prepare: (context) => context.clock.install() })
    const { clock } = page
    // From here on, time passes only in `runFor`, and the session is used at its beginning.
    await clock.pauseAt(await page.evaluate(() => Date.now() + 10_000))
    await press(page, 'load')
    await clock.runFor(20_000)
    expect(await part(page, 'idle-warning').count()).toBe(0)
    // The page shows full seconds, four times a second.
    await clock.runFor(15_500)
    await says(page, 'idle-time', '25 s')
    await press(page, 'stay')
    await clock.runFor(1_000)
    await misses(page, 'idle-warning')
    await clock.runFor(44_500)
    await says(page, 'idle-time', '15 s')
    await clock.runFor(16_000)
    await sees(page, 'expired-dialog')
    await says(page, 'expired-reason', 'away')
  })
}

/** Tests of the page as a whole: its listeners, and its accessibility. */
function testPage({ harness, press, sees, says, enter, signedIn }: Example): void {
  it('leaves no listener behind after it is unmounted a hundred times', async () => {
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

  it('has no accessibility violation in any view, in light or dark mode', async () => {
    const page = await harness().open()
    await sees(page, 'view-signed-out')
    await expectNoBarriers(page)
    await enter(page)
    await press(page, 'load')
    await page.getByText('Solaris').waitFor()
    await expectNoBarriers(page)
    await press(page, 'end-session')
    await says(page, 'message', 'ended on the server')
    await press(page, 'load')
    await sees(page, 'expired-dialog')
    await expectNoBarriers(page)
  })
}
