import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { bundleScript } from './bundles.ts'
import { exported, panelOf } from './panel.ts'
import { pageWith } from './site.ts'
import { siteSuite } from './site-suite.ts'

declare global {
  var distant: typeof import('./worker-page.ts').distant
}

describe.skipIf(!hasChromium)('the panel of a session that lives in a worker', () => {
  const { open, server, origin } = siteSuite(async () => ({
    files: {
      '/': pageWith('/page.js'),
      '/page.js': await bundleScript('worker-page.ts'),
      '/worker.js': await bundleScript('../browser/worker-script.ts'),
    },
  }))

  it('shows the chart, the countdown and the events, and explains why it lists no requests', async () => {
    const page = await open()
    const panel = panelOf(page)
    await panel.lit('anonymous').waitFor()
    await page.evaluate(() => distant.signIn())
    await panel.lit('authenticated.refreshable').waitFor()
    await panel
      .part('.countdown')
      .filter({ hasText: /^59 min/ })
      .waitFor()
    expect(await panel.part('.subject').textContent()).toBe('ada')
    expect(await panel.part('.scopes li').allTextContents()).toEqual(['books:read', 'books:write'])

    server().expireAccessTokens()
    const refresh = server().holdNext()
    const answers = page.evaluate(() => distant.ask(3))
    await refresh.arrived
    await panel.lit('refreshing.gate.closed').waitFor()
    await panel.part('[data-fact="Requests held"]').filter({ hasText: '3' }).waitFor()
    refresh.answer()
    expect(await answers).toEqual([200, 200, 200])
    await panel.unfold()
    await panel.part('[data-event=refreshed]').waitFor()
    await panel.lit('authenticated.refreshable').waitFor()
    await panel.part('.lanes .empty').filter({ hasText: 'in a worker' }).waitFor()
    expect(await panel.lanes()).toEqual([])
    expect(await panel.counters()).toMatchObject({ requests: 0, held: 0, done: 0 })

    await panel.part('[data-event=transition]').filter({ hasText: 'refreshing.gate.closed' }).click()
    await panel.lit('refreshing.gate.closed').waitFor()
    await panel.live.click()
    await panel.lit('authenticated.refreshable').waitFor()
    const { text } = await exported(page)
    await panel.load('worker.json', text)
    await panel.banner.filter({ hasText: 'worker.json' }).waitFor()
    await panel.lit('authenticated.refreshable').waitFor()
  })

  it('shows events from before its page was opened', async () => {
    const first = await open()
    await first.evaluate(() => distant.signIn())
    server().expireAccessTokens()
    expect(await first.evaluate(() => distant.ask(1))).toEqual([200])
    const second = await first.context().newPage()
    await second.goto(origin())
    const panel = panelOf(second)
    await panel.lit('authenticated.refreshable').waitFor()
    await panel.unfold()
    await panel.part('[data-event=refreshed]').waitFor()
    const events = await panel.events()
    expect(events.filter((type) => type === 'signedIn' || type === 'refreshed')).toEqual([
      'refreshed',
      'signedIn',
    ])
    await panel.part('[data-event=transition]').filter({ hasText: 'refreshing.gate.closed' }).click()
    await panel.lit('refreshing.gate.closed').waitFor()
    // New events are listed once in each page.
    await panel.live.click()
    await first.evaluate(() => distant.auth.signOut())
    for (const page of [first, second]) {
      await panelOf(page).part('[data-event=signedOut]').waitFor()
      expect(await panelOf(page).part('[data-event=signedOut]').count()).toBe(1)
    }
  })

  it('does not affect the session when it is removed', async () => {
    const page = await open()
    await page.evaluate(() => distant.signIn())
    await panelOf(page).lit('authenticated').waitFor()
    await page.evaluate(() => {
      distant.stop()
      distant.stop()
    })
    expect(await page.evaluate(() => document.querySelector('authchart-devtools'))).toBe(null)
    expect(await page.evaluate(() => distant.ask(2))).toEqual([200, 200])
    await page.evaluate(() => distant.auth.dispose())
  })
})
