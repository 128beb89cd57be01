import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium } from 'playwright-core'

const { CHROMIUM_PATH, CI } = process.env

const firstOf = (...places: (string | undefined)[]) =>
  places.find((path) => path !== undefined && existsSync(path))

const executablePath = firstOf(
  CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
)

/**
 * The same engine without the browser around it: it opens a context for a fifth of the work. What it lacks (a
 * back/forward cache, tabs in the background, preferences), `launchPlainChromium` has.
 */
const headlessShell = CHROMIUM_PATH ? undefined : firstOf('/usr/bin/chromium-headless-shell')

/**
 * Whether the browser suites can run. Without a browser they are skipped, with one line that says so; in CI that line is
 * a failure, for there a skipped suite would pass unseen.
 */
export const hasChromium = executablePath !== undefined || CI === 'true'

if (!executablePath) {
  console.warn(
    'SKIPPED: browser suites, because there is no Chromium here. Install it with `apt-get install chromium`, or set CHROMIUM_PATH.',
  )
}

function chromiumPath(): string {
  if (executablePath) return executablePath
  throw new Error('There is no Chromium here. Install it with `apt-get install chromium`.')
}

/** Without its calls home. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Starts the system's Chromium for pages that look and act alike in all of its kinds. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: headlessShell ?? chromiumPath(), args: QUIET })
}

/** A Chromium as its users have it. */
export interface PlainChromium {
  /** The one profile there is. */
  readonly profile: BrowserContext
  close(): Promise<void>
}

/**
 * Starts it as its users have it, without what Playwright adds for tests: tabs in the background are hidden, throttled, and
 * can be frozen, and pages that are left go into the back/forward cache.
 *
 * @param preferences of the profile, as its `Preferences` file has them
 */
export async function launchPlainChromium(preferences: object = {}): Promise<PlainChromium> {
  const directory = await mkdtemp(join(tmpdir(), 'authchart-chromium-'))
  await mkdir(join(directory, 'Default'))
  await writeFile(join(directory, 'Default', 'Preferences'), JSON.stringify(preferences))
  const args = [...QUIET, '--headless', '--remote-debugging-port=0', `--user-data-dir=${directory}`]
  const child = spawn(chromiumPath(), [...args, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const address = await new Promise<string>((resolve, reject) => {
    let said = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
      const [found] = /ws:\/\/\S+/.exec(said) ?? []
      if (found) resolve(found)
    })
    child.once('error', reject)
    void exited.then(() => reject(new Error(`Chromium did not start: ${said}`)))
  })
  const browser = await chromium.connectOverCDP(address, { noDefaults: true })
  const [profile] = browser.contexts()
  if (!profile) throw new Error('Chromium has no profile.')
  return {
    profile,
    async close() {
      await browser.close()
      child.kill('SIGKILL')
      await exited
      // What it started ends a moment later, and may still write.
      await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    },
  }
}
