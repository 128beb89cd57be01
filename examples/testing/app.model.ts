/** The app's session as a model. Drivers act through the page, and assertions check what the user sees. */
import { authTestModel, createTokenServer } from 'authchart/testing'
import type { Page } from 'playwright-core'

const server = createTokenServer({ routes: { '/api/*': { handler: () => Response.json(['Tea', 'Milk']) } } })
const press = (name: string) => (page: Page) => page.getByRole('button', { name }).click()
const sees = (text: string) => (page: Page) => page.getByText(text, { exact: true }).waitFor()
const signIn = (password: string) => async (page: Page) => {
  await page.getByLabel('User name').fill('ada')
  await page.getByLabel('Password').pressSequentially(`${password}\n`)
}
const model = authTestModel<Page>({
  events: {
    signIn: signIn('correct'),
    signInRefused: signIn('wrong'),
    signOut: press('Sign out'),
    request: press('Load'),
    accessTokenDies: () => server.expireAccessTokens(),
    refreshTokenDies: () => server.killRefreshTokens(),
  },
  offers: (event, { subject }) => event.startsWith('signIn') === !subject,
  states: {
    anonymous: sees('Nobody is signed in'),
    authenticated: sees('Signed in as ada'),
    expired: sees('Your session has ended, sign in again'),
    loggedOut: sees('Signed out'),
  },
})

export { model, press, sees, server, signIn }
