/**
 * Measures whether the playground draws every frame while it shows a thousand requests: `npm run bench:frames`. The browser's
 * own tracing counts the frames, from the first request to the last.
 */
import { launchChromium } from '../test/support/chromium.ts'
import { startPlayground } from '../visualizations/playground/server/start.ts'
import { CATEGORIES, framesOf } from './trace-frames.ts'

const BURSTS = 10

const playground = await startPlayground({ port: 0, host: '127.0.0.1' })
const browser = await launchChromium()
try {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } })
  await page.goto(playground.url)
  const press = (action: string) => page.locator(`[data-action="${action}"]`).click()
  await press('sign-in')
  await page.locator('[data-state="authenticated"][data-active]').waitFor()
  // Each request gets one 401, waits, and is sent again.
  await press('expire-access-token')
  await browser.startTracing(page, { categories: CATEGORIES })
  await page.evaluate(async (bursts) => {
    await Promise.all(Array.from({ length: bursts }, () => globalThis.playground.requests.sendBurst()))
  }, BURSTS)
  const trace = await browser.stopTracing()
  const { seconds, due, presented, apart, median, slowest } = framesOf(trace)
  const [requests, replayed] = await Promise.all(
    ['requests', 'replayed'].map((name) => page.locator(`[data-counter="${name}"]`).textContent()),
  )
  console.log(`requests in the lanes  ${requests}, of which ${replayed} were sent twice`)
  console.log(`traced                 ${seconds.toFixed(1)} s`)
  console.log(`frames                 ${presented} of ${due}, ${apart.toFixed(1)} ms apart (median)`)
  console.log(
    `work for a frame       ${median.toFixed(1)} ms (median), ${slowest.toFixed(1)} ms (99th percentile)`,
  )
} finally {
  await browser.close()
  await playground.close()
}
