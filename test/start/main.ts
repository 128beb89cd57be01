/**
 * `npm run test:start`: follows the pages with a set-up as a new user does. For each page it makes an empty folder, runs the
 * commands, saves the snippets under the names that the page gives them, starts what the page starts, and opens it in Chromium.
 * `-- auth0 redirect` follows only these pages.
 */
import { strict as assert } from 'node:assert'
import { execFileSync, execSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { App } from './app.ts'
import { guideOf } from './pages.ts'
import { driveForm, TEMPLATES, type Template, templateGuide } from './templates.ts'
import { LOCAL, WALKS, type Walk } from './walks.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

const only = process.argv.slice(2)
const pages = [...WALKS, ...TEMPLATES].filter(
  ({ page }) => only.length === 0 || only.some((name) => page.includes(name)),
)

const folder = mkdtempSync(join(tmpdir(), 'authchart-start-'))
execSync('npm run build --silent', { cwd: ROOT, stdio: ['ignore', 'ignore', 'inherit'] })
const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
  cwd: ROOT,
  encoding: 'utf8',
})
const tarball = join(folder, packed.trim())

async function follow(walk: Walk, cwd: string): Promise<void> {
  const { page, replace = {}, server, service } = walk
  const guide = guideOf(page)
  assert.ok(guide.commands.length >= 3, 'the page says how to install and to start')
  const hosted = await service?.()
  try {
    const app = await App.start({ guide, cwd, tarball, server, replace: hosted?.replace ?? replace })
    try {
      await visit(app, walk, hosted?.expire ?? app.pressEnter)
    } finally {
      await app.close()
    }
  } finally {
    await hosted?.close()
  }
}

async function followTemplate(template: Template, cwd: string): Promise<void> {
  const app = await App.start({ guide: templateGuide(template), cwd, tarball, replace: LOCAL })
  try {
    await driveForm(app)
  } finally {
    await app.close()
  }
}

/** @param expire lets all access tokens of the server expire */
async function visit(app: App, { shows, signIn, stays, signsIn, burst }: Walk, expire: () => void) {
  await app.shows(shows, async () => {
    await app.open()
    await signsIn?.(app.page)
  })
  if (app.hasChange) await app.shows(shows, app.change)
  await app.shows(shows, app.reload)
  assert.equal(app.count(signIn), stays ? 1 : 2, 'sign-ins')
  if (!burst) return

  const before = app.count(burst.refresh)
  expire()
  await app.untilRefused()
  assert.deepEqual(await app.burst(burst.send), Array(20).fill(200), 'what the app gets')
  assert.equal(app.count(burst.refresh) - before, 1, 'refreshes')
  await app.shows(shows, app.reload)
  assert.equal(app.count(signIn), 1, 'sign-ins')
}

try {
  for (const [index, walk] of pages.entries()) {
    const cwd = join(folder, `app-${index}`)
    mkdirSync(cwd)
    const name = `docs/${walk.page}.md${'server' in walk ? `, ${walk.server}` : ''}`
    try {
      await ('template' in walk ? followTemplate(walk, cwd) : follow(walk, cwd))
      console.log(`${name}: works as it is written`)
    } catch (error) {
      console.error(`${name}: FAILED`, error)
      process.exitCode = 1
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true })
}
