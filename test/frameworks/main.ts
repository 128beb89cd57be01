/**
 * `npm run test:frameworks`: follows the pages of docs/frameworks about frameworks that render on a server. Each app has the files of
 * its page, is built with the built package, and runs in two processes over a real Redis. Chromium drives it. `--only next,nuxt` for
 * some.
 */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, rmSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createTokenServer } from '../../src/testing/index.ts'
import { installPackage } from '../package/built.ts'
import { ChildServer } from '../support/child-server.ts'
import { launchChromium } from '../support/chromium.ts'
import { freePort } from '../support/free-port.ts'
import { startRedis } from '../support/redis-server.ts'
import { writeApp } from './app.ts'
import { drive } from './drive.ts'
import { FRAMEWORKS, type Framework } from './frameworks.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const { values } = parseArgs({ options: { only: { type: 'string' } } })
const only = values.only?.split(',')
const unknown = only?.filter((name) => !FRAMEWORKS.some((framework) => framework.name === name)) ?? []
if (unknown.length > 0) throw new TypeError(`Unknown: ${unknown.join(', ')}`)

// Not `npm ci`: the lock file names an optional package for Windows, which not every registry has.
if (!existsSync(`${here}node_modules`))
  execFileSync('npm', ['install', '--no-save', '--no-audit', '--no-fund'], { cwd: here, stdio: 'inherit' })
// These frameworks need a newer Node than the oldest one that authchart supports.
const node = `${here}node_modules/node/bin/node`
await installPackage(here)

const redis = await startRedis()
const server = createTokenServer({ jwt: true })
const listening = await server.listen()
const browser = await launchChromium()
const environment = {
  ...process.env,
  CI: '1',
  NEXT_TELEMETRY_DISABLED: '1',
  NUXT_TELEMETRY_DISABLED: '1',
  NODE_ENV: 'production',
  API_URL: listening.url,
  REDIS_URL: redis.url,
  SESSION_KEY: randomBytes(32).toString('base64'),
}

async function test({ name, build, start }: Framework): Promise<void> {
  const cwd = writeApp(name)
  const ports = [String(await freePort()), String(await freePort())] as const
  const origins = [`http://127.0.0.1:${ports[0]}`, `http://127.0.0.1:${ports[1]}`] as const
  const whileBuilding = { ...environment, ORIGINS: origins.join() }
  for (const command of build) execFileSync(node, command, { cwd, env: whileBuilding, stdio: 'inherit' })

  const open = async (index: 0 | 1) => {
    const env = { ...environment, HOST: '127.0.0.1', PORT: ports[index], ORIGIN: origins[index] }
    const app = new ChildServer(node, start(ports[index]), { cwd, env })
    await app.ready(() => fetch(origins[index]))
    return app
  }
  const apps = [await open(0), await open(1)]
  try {
    await drive(browser, origins, server, async () => {
      await apps[0]?.stop('SIGKILL')
      apps[0] = await open(0)
    })
  } finally {
    for (const app of apps) await app.stop('SIGKILL')
  }
  rmSync(cwd, { recursive: true, force: true })
}

for (const framework of FRAMEWORKS) {
  if (only && !only.includes(framework.name)) continue
  try {
    await test(framework)
    const manifest = `${here}node_modules/${framework.package}/package.json`
    console.log(`${framework.name} ${JSON.parse(readFileSync(manifest, 'utf8')).version}: passed`)
  } catch (error) {
    console.error(`${framework.name}: FAILED`, error)
    process.exitCode = 1
  }
}
await Promise.all([browser.close(), listening.close(), redis.stop()])
