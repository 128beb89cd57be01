import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { freePort } from '../support/free-port.ts'
import { exitOf, startProgram } from './start-program.ts'

const PATIENCE = { timeout: 60_000 }

const start = (...args: readonly string[]) => startProgram(['scripts/example.mjs', ...args])

let browser: Browser
beforeAll(async () => {
  if (hasChromium) browser = await launchChromium()
})
afterAll(() => browser?.close())

/** Enters a user name on the page of the provider. */
async function signInAt(page: Page, user: string) {
  await page.getByLabel('User name').fill(user)
  await page.getByRole('button', { name: 'Sign in' }).click()
}

describe.skipIf(!hasChromium)('npm run example oauth', () => {
  let child: ReturnType<typeof start>
  let home: string
  beforeAll(async () => {
    const port = await freePort()
    home = `http://127.0.0.1:${port}/`
    child = start('oauth', '--port', String(port))
    await vi.waitUntil(() => child.text().includes(home), PATIENCE)
  })
  afterAll(() => child.kill('SIGKILL'))

  const ask = async (page: Page) => {
    await page.getByRole('button', { name: 'Ask the provider' }).click()
    return page.getByText('"sub":"ada"').innerText()
  }

  it('signs a user in on the page of the provider, keeps the session, and signs out there, too', async () => {
    const page = await browser.newPage()
    await page.goto(home)
    await page.getByRole('button', { name: 'Sign in on the page' }).click()
    await signInAt(page, 'ada')
    await page.getByText('Signed in as ada').waitFor()
    expect(page.url()).toBe(home)
    expect(await ask(page)).toMatch(/^200 /)
    await page.reload()
    await page.getByText('Signed in as ada').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByRole('button', { name: /yes/i }).click()
    await page.getByRole('button', { name: 'Sign in on the page' }).waitFor()
    await page.context().close()
  })

  it('signs a user in in a popup, with tokens that are bound to a key', async () => {
    const page = await browser.newPage()
    await page.goto(home)
    await page.getByLabel('Bind the tokens').check()
    await page.getByLabel('Bind the tokens').and(page.locator(':checked')).waitFor()
    const opened = page.waitForEvent('popup')
    await page.getByRole('button', { name: 'in a popup' }).click()
    await signInAt(await opened, 'ada')
    await page.getByText('Signed in as ada').waitFor()
    await page.getByText('bound to a key of this browser').waitFor()
    const proven = page.waitForRequest(
      (request) => request.method() === 'GET' && request.url().endsWith('/me'),
    )
    expect(await ask(page)).toMatch(/^200 /)
    expect((await proven).headers()).toMatchObject({
      authorization: expect.stringMatching(/^DPoP /),
      dpop: expect.stringMatching(/^ey/),
    })
    await page.context().close()
  })
})

describe.skipIf(!hasChromium)('npm run example cli', () => {
  it('signs a user in by a code, and finds the session in the next run', async () => {
    const child = start('cli')
    onTestFinished(() => void child.kill('SIGKILL'))
    const exited = exitOf(child)
    await vi.waitUntil(() => /or open (\S+)/.test(child.text()), PATIENCE)
    const page = await browser.newPage()
    await page.goto(/or open (\S+)/.exec(child.text())?.[1] ?? '')
    await page.locator('button[type=submit]').first().click()
    await signInAt(page, 'grace')
    expect(await exited, child.text()).toBe(0)
    expect(child.text()).toMatch(
      /Signed in as grace\. The API answers 200[\s\S]*The session of the last run is in the file/,
    )
    expect(child.text().match(/Signed in as grace/g)).toHaveLength(2)
    await page.context().close()
  })
})
