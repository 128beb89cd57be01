// Pictures of the playground: `npm run playground:shots`, for visualizations/README.md and docs/guides/devtools.md. Look at them before you commit.
import { fileURLToPath } from 'node:url'
import { launchChromium } from '../test/support/chromium.ts'
import { startPlayground } from '../visualizations/playground/server/start.ts'

const directory = fileURLToPath(new URL('../visualizations/playground/shots/', import.meta.url))

const SCREENS = {
  light: { viewport: { width: 1440, height: 950 }, colorScheme: 'light' },
  dark: { viewport: { width: 1440, height: 950 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: 'light', deviceScaleFactor: 2 },
}

/** Makes many requests wait for one refresh, after others are done. */
async function makeTrouble(page) {
  const press = (action) => page.locator(`[data-action="${action}"]`).click()
  const counter = (name, least) =>
    page.waitForFunction(
      ([name, least]) => {
        const panel = document.querySelector('authchart-devtools')
        return Number(panel?.shadowRoot?.querySelector(`[data-counter="${name}"]`)?.textContent) >= least
      },
      [name, least],
    )
  await press('sign-in')
  await page.locator('[data-state="authenticated"][data-active]').first().waitFor()
  await press('burst')
  await counter('done', 60)
  await press('expire-access-token')
  await counter('held', 12)
}

const browser = await launchChromium()
try {
  for (const [name, options] of Object.entries(SCREENS)) {
    const playground = await startPlayground({ openid: true })
    const page = await browser.newPage(options)
    await page.goto(playground.url)
    if (name !== 'phone') await page.getByRole('button', { name: 'Fit', exact: true }).click()
    await makeTrouble(page)
    if (name === 'phone') await page.locator('#watch').evaluate((section) => section.scrollIntoView())
    await page.screenshot({ path: `${directory}${name}.png` })
    await page.close()
    await playground.close()
  }
} finally {
  await browser.close()
}
console.log(directory)
