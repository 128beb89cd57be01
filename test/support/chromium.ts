import { existsSync } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'

const PLACES = [
  process.env.CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
]

const executablePath = PLACES.find((path) => path !== undefined && existsSync(path))

/**
 * Whether the browser suites can run. Without a browser they are skipped, with one line that says so; in CI that line is
 * a failure, for there a skipped suite would pass unseen.
 */
export const hasChromium = executablePath !== undefined || process.env.CI === 'true'

if (!executablePath) {
  console.warn(
    'SKIPPED: browser suites, because there is no Chromium here. Install it with `apt-get install chromium`, or set CHROMIUM_PATH.',
  )
}

/** Starts the system's Chromium, without its calls home. */
export function launchChromium(): Promise<Browser> {
  if (!executablePath)
    throw new Error('There is no Chromium here. Install it with `apt-get install chromium`.')
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}
