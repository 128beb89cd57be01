import { describe, expect, it } from 'vitest'
import { reactDevServer } from '../bindings/react-dev-server.ts'
import { hasChromium } from '../support/chromium.ts'
import { panelOf } from './panel.ts'

describe.skipIf(!hasChromium)('the React example on a development server', () => {
  const { open } = reactDevServer()

  it('shows its session in a panel that a button opens', async () => {
    const { page, problems } = await open(/warning|error/)
    const panel = panelOf(page)
    const launcher = page.getByRole('button', { name: /^authchart: / })
    await launcher.filter({ hasText: 'anonymous' }).waitFor()
    await page.getByTestId('username').fill('ada')
    await page.getByTestId('password').fill('correct')
    await page.getByTestId('sign-in').click()
    await launcher.filter({ hasText: 'authenticated' }).click()
    await panel.lit('authenticated.refreshable').waitFor()
    expect(await panel.part('.subject').textContent()).toBe('ada')
    await panel.part('[data-event=signedIn]').waitFor()

    await panel.button('Close').click()
    await page.getByTestId('burst').click()
    await page.getByText('50 of 50 answered').waitFor()
    await launcher.click()
    await panel.part('[data-counter=done]').filter({ hasText: '50' }).waitFor()
    await panel.button('Close').click()
    await page.getByTestId('sign-out').click()
    await launcher.filter({ hasText: 'loggedOut' }).waitFor()
    expect(problems).toEqual([])
  })
})
