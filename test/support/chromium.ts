import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Browser, type BrowserContext, chromium } from 'playwright-core'

const { CHROMIUM_PATH, CI } = process.env

const firstOf = (...paths: (string | undefined)[]) =>
  paths.find((path) => path !== undefined && existsSync(path))

const executablePath = firstOf(
  CHROMIUM_PATH,
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
)

/**
 * The same engine without the browser UI. It opens a context in a fifth of the time. It has no back/forward cache, background
 * tabs or preferences; `launchPlainChromium` has them.
 */
const headlessShell = CHROMIUM_PATH ? undefined : firstOf('/usr/bin/chromium-headless-shell')

/**
 * Whether the browser suites can run. Without a browser they are skipped with a warning. In CI this is always true, so that a
 * missing browser fails the suites instead of skipping them unnoticed.
 */
export const hasChromium = executablePath !== undefined || CI === 'true'

if (!executablePath) {
  console.warn(
    'SKIPPED: browser suites, because Chromium was not found. Install it with `apt-get install chromium`, or set CHROMIUM_PATH.',
  )
}

export function chromiumPath(): string {
  if (executablePath) return executablePath
  throw new Error('Chromium was not found. Install it with `apt-get install chromium`, or set CHROMIUM_PATH.')
}

/** Turns off Chromium's background network traffic. */
const QUIET = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]

/** Starts Chromium for tests that work in every variant of it, preferably the headless shell. */
export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: headlessShell ?? chromiumPath(), args: QUIET })
}

/** A Chromium that behaves as it does for its users. */
export interface PlainChromium {
  /** The only profile. */
  readonly profile: BrowserContext
  close(): Promise<void>
}

/**
 * Starts Chromium without the changes that Playwright makes for tests. Background tabs are hidden, throttled, and can be
 * frozen. The back/forward cache works.
 *
 * @param preferences the content of the profile's `Preferences` file
 */
export async function launchPlainChromium(preferences: object = {}): Promise<PlainChromium> {
  const directory = await mkdtemp(join(tmpdir(), 'authchart-chromium-'))
  await mkdir(join(directory, 'Default'))
  await writeFile(join(directory, 'Default', 'Preferences'), JSON.stringify(preferences))
  const args = [...QUIET, '--headless', '--remote-debugging-port=0', `--user-data-dir=${directory}`]
  const child = spawn(chromiumPath(), [...args, 'about:blank'], { stdio: ['ignore', 'ignore', 'pipe'] })
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const address = await new Promise<string>((resolve, reject) => {
    let output = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output += text
      const [found] = /ws:\/\/\S+/.exec(output) ?? []
      if (found) resolve(found)
    })
    child.once('error', reject)
    void exited.then(() => reject(new Error(`Chromium did not start: ${output}`)))
  })
  const browser = await chromium.connectOverCDP(address, { noDefaults: true })
  const [profile] = browser.contexts()
  if (!profile) throw new Error('Chromium started without a profile.')
  return {
    profile,
    async close() {
      await browser.close()
      child.kill('SIGKILL')
      await exited
      // Its child processes end a moment later, and may still write files.
      await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    },
  }
}

/**
 * Opens a page in Chromium without its developer tools, because they turn off that pages are loaded in advance. The page has to
 * report to the test itself.
 *
 * @returns ends the browser
 */
export async function openInChromium(url: string): Promise<() => Promise<void>> {
  const directory = await mkdtemp(join(tmpdir(), 'authchart-chromium-'))
  const child = spawn(
    chromiumPath(),
    [...QUIET, '--headless', '--remote-debugging-port=0', `--user-data-dir=${directory}`, url],
    {
      stdio: 'ignore',
    },
  )
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return async () => {
    child.kill('SIGKILL')
    await exited
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  }
}
