// The moving picture of the README: 100 requests, one refresh. `npm run playground:film` takes it; look at it before you commit.
// It needs `img2webp` (`apt-get install webp`).
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { launchChromium } from '../test/support/chromium.ts'
import { startPlayground } from '../visualizations/playground/server/start.ts'

const film = fileURLToPath(new URL('../visualizations/playground/shots/film.webp', import.meta.url))
/** The most bytes of the film: every visitor of the README loads it. */
const LIMIT = 400_000
/** How long the last picture stays, in milliseconds. */
const PAUSE = 2_500

const folder = mkdtempSync(join(tmpdir(), 'authchart-film-'))
const playground = await startPlayground({ port: 0, host: '127.0.0.1' })
const browser = await launchChromium()
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 950 }, colorScheme: 'dark' })
  await page.goto(playground.url)
  const press = (action) => page.locator(`[data-action="${action}"]`).click()
  const counter = (name) =>
    page.evaluate(
      (name) =>
        Number(
          document.querySelector('authchart-devtools')?.shadowRoot?.querySelector(`[data-counter="${name}"]`)
            ?.textContent,
        ),
      name,
    )
  await press('sign-in')
  await page.locator('[data-state="authenticated"][data-active]').first().waitFor()

  // The chart, the session, the requests and the events.
  await page.getByRole('button', { name: 'Fit', exact: true }).click()
  const clip = { x: 364, y: 138, width: 1060, height: 768 }
  const frames = []
  const shoot = async () => {
    const path = join(folder, `${String(frames.length).padStart(3, '0')}.jpg`)
    frames.push({ path, at: performance.now() })
    await page.screenshot({ path, clip, type: 'jpeg', quality: 95 })
  }
  await shoot()
  // The server rejects the token, so every request gets a 401 or waits, and all of them are sent with the next one.
  await press('expire-access-token')
  await press('burst')
  const end = performance.now() + 15_000
  do await shoot()
  while ((await counter('done')) < 100 && performance.now() < end)
  await shoot()

  const args = frames.flatMap(({ path, at }, index) => {
    const next = frames[index + 1]
    return ['-d', String(Math.round(next ? next.at - at : PAUSE)), '-lossy', '-q', '55', '-m', '6', path]
  })
  execFileSync('img2webp', ['-loop', '0', '-min_size', ...args, '-o', film])
  const { size } = statSync(film)
  console.log(`${film}: ${frames.length} frames, ${size} bytes`)
  if (size > LIMIT) throw new Error(`The film has ${size - LIMIT} bytes too many.`)
} finally {
  await browser.close()
  await playground.close()
  rmSync(folder, { recursive: true, force: true })
}
