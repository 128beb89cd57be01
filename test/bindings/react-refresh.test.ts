import type { Plugin } from 'vite'
import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { reactDevServer } from './react-dev-server.ts'

declare global {
  var sameDocument: boolean | undefined
}

describe.skipIf(!hasChromium)('the React example on a development server', () => {
  let title = 'Reading list'

  /** Edits a file. */
  const editor: Plugin = {
    name: 'editor',
    enforce: 'pre',
    transform: (code, id) => (id.endsWith('/desk.tsx') ? code.replace('Reading list', title) : undefined),
  }

  const site = reactDevServer({ plugins: [editor] })

  it('keeps the session and its listeners when a component is edited', async () => {
    const { page, problems } = await site.open()
    await page.getByTestId('username').fill('ada')
    await page.getByTestId('password').fill('correct')
    await page.getByTestId('sign-in').click()
    await page.getByTestId('load').click()
    await page.getByText('Solaris').waitFor()
    const epoch = await page.evaluate(() => {
      globalThis.sameDocument = true
      return example.auth.session?.epoch
    })

    title = 'Reading list, edited'
    const module = await site.server.moduleGraph.getModuleByUrl('/desk.tsx')
    expect(module).toBeDefined()
    if (module) await site.server.reloadModule(module)
    await page.getByRole('heading', { name: 'Reading list, edited' }).waitFor()

    expect(await page.evaluate(() => globalThis.sameDocument)).toBe(true)
    expect(await page.evaluate(() => example.auth.session?.epoch)).toBe(epoch)
    expect(await page.getByTestId('user').textContent()).toBe('ada')
    await page.getByText('Solaris').waitFor()
    await page.getByTestId('sign-out').click()
    await page.getByTestId('view-signed-out').waitFor()
    expect(problems).toEqual([])
  })
})
