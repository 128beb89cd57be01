/**
 * `npm run test:start`: follows the pages of docs/start as a new user does. For each page it makes an empty folder, runs the commands,
 * saves the snippets under the names that the page gives them, starts what the page starts, and opens it in Chromium.
 */
import { strict as assert } from 'node:assert'
import { execFileSync, execSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { ChildServer } from '../support/child-server.ts'
import { launchChromium } from '../support/chromium.ts'
import { guideOf } from './pages.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const PAGE = 'http://localhost:5173'

interface Walk {
  readonly page: string
  /** The file that the first snippet is saved as, if it has no name. */
  readonly first?: string
  /** What the page says to put in the place of something else. */
  readonly replace?: readonly [from: string, to: string]
  /** The server, if the page has several. */
  readonly server?: string
  /** What the console shows. */
  readonly shows: RegExp
  /** Whether a reload keeps the session. */
  readonly stays: boolean
}

const LOCAL = ['https://api.example.com', 'http://localhost:8080'] as const

const WALKS: readonly Walk[] = [
  {
    page: 'quick-start',
    first: 'auth.ts',
    replace: LOCAL,
    shows: /subject: ada|"subject":"ada"/,
    stays: false,
  },
  { page: 'json-tokens', replace: LOCAL, shows: /subject: ada|"subject":"ada"/, stays: true },
  { page: 'cookie-mode', server: 'express.ts', shows: /user: ada/, stays: true },
  { page: 'cookie-mode', server: 'hono.ts', shows: /user: ada/, stays: true },
]

const folder = mkdtempSync(join(tmpdir(), 'authchart-start-'))
execSync('npm run build --silent', { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] })
const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
  cwd: ROOT,
  encoding: 'utf8',
})
const tarball = join(folder, packed.trim())

/** Starts what goes on running, without a shell in between that would outlive it. */
function start(command: string, cwd: string): ChildServer {
  const [, name = '', ...args] = command.split(' ')
  return new ChildServer(join(cwd, 'node_modules/.bin', name), args, { cwd })
}

/** Everything that the page prints until it prints what is expected. */
async function shown(page: Page, expected: RegExp): Promise<void> {
  const printed: string[] = []
  const found = new Promise<void>((resolve) => {
    page.on('console', (message) => {
      printed.push(message.text())
      if (expected.test(message.text())) resolve()
    })
    page.on('pageerror', (error) => printed.push(String(error)))
  })
  const late = new Promise<never>((_, reject) => {
    setTimeout(() => reject(new Error(`The console shows only: ${printed.join('\n')}`)), 60_000).unref()
  })
  await Promise.race([found, late])
}

async function walk({ page: name, first, replace, server, shows, stays }: Walk, cwd: string): Promise<void> {
  const { commands, files } = guideOf(name, first)
  assert.ok(commands.length >= 4, 'the page says how to install and to start')
  for (const [file, code] of files)
    writeFileSync(join(cwd, file), replace ? code.replaceAll(...replace) : code)
  for (const command of commands.filter((line) => line.startsWith('npm ')))
    execSync(command.replace(/ authchart /, ` ${tarball} `), { cwd, stdio: ['ignore', 'ignore', 'inherit'] })

  const running = commands
    .filter((line) => line.startsWith('npx '))
    .map((line) => start(server && line.startsWith('npx tsx') ? `npx tsx ${server}` : line, cwd))
  const browser = await launchChromium()
  try {
    await running.at(-1)?.ready(() => fetch(PAGE))
    await running[0]?.ready(() => fetch('http://localhost:8080'))
    const page = await browser.newPage()
    const signIns: string[] = []
    page.on('request', (request) => {
      if (/\/(?:login|session\/start)$/.test(request.url()) && request.method() === 'POST')
        signIns.push(request.url())
    })
    const isShown = shown(page, shows)
    await page.goto(PAGE)
    await isShown
    const again = shown(page, shows)
    await page.reload()
    await again
    assert.equal(signIns.length, stays ? 1 : 2, 'sign-ins')
  } finally {
    await browser.close()
    for (const server of running) await server.stop('SIGTERM')
  }
}

try {
  for (const [index, given] of WALKS.entries()) {
    const cwd = join(folder, `app-${index}`)
    execFileSync('mkdir', [cwd])
    const name = `docs/start/${given.page}.md${given.server ? `, ${given.server}` : ''}`
    try {
      await walk(given, cwd)
      console.log(`${name}: works as it is written`)
    } catch (error) {
      console.error(`${name}: FAILED`, error)
      process.exitCode = 1
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
