/** A second model: another tab signs out, and time passes. */
import { authTestModel } from 'authchart/testing'
import type { Page } from 'playwright-core'
import { press, sees, server, signIn } from './app.model.ts'

/** Needs pages with Playwright's clock: `page.clock.install()`. */
export const model = authTestModel<Page>({
  events: {
    signIn: signIn('correct'),
    refreshTokenDies: () => server.killRefreshTokens(),
    renewalDue: (page, { elapsed }) =>
      Promise.all([page.waitForResponse('**/token'), page.clock.runFor(elapsed)]),
    async otherTabSignsOut(page) {
      const otherTab = await page.context().newPage()
      await otherTab.goto(page.url())
      await press('Sign out')(otherTab)
    },
  },
  offers: (event, { subject }) => event !== 'signIn' || !subject,
  states: {
    anonymous: sees('Nobody is signed in'),
    authenticated: sees('Signed in as ada'),
    loggedOut: sees('Signed out'),
  },
})
