/**
 * `npm run test:frameworks`: builds an app in each framework with the built package, starts two processes of it over a real Redis,
 * and drives them with Chromium. `--only next,nuxt` for some.
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
import { drive } from './drive.ts'
import { FRAMEWORKS } from './frameworks.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const { values } = parseArgs({ options: { only: { type: 'string' } } })
const only = values.only?.split(',')
const unknown = only?.filter((name) => !FRAMEWORKS.some((framework) => framework.name === name)) ?? []
if (unknown.length > 0) throw new TypeError(`Unknown: ${unknown.join(', ')}`)

if (!existsSync(`${here}node_modules`))
  execFileSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: here, stdio: 'inherit' })
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
  REDIS_URL: redis.url,
  SESSION_KEY: randomBytes(32).toString('base64'),
  TOKEN_SERVER: listening.url,
}

for (const { name, build, outputs, start } of FRAMEWORKS) {
  if (only && !only.includes(name)) continue
  const cwd = `${here}apps/${name}`
  execFileSync(node, build, { cwd, env: environment, stdio: 'inherit' })

  const ports = [String(await freePort()), String(await freePort())] as const
  const origins = [`http://127.0.0.1:${ports[0]}`, `http://127.0.0.1:${ports[1]}`] as const
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
    const { version } = JSON.parse(
      readFileSync(`${here}node_modules/${packageOf(name)}/package.json`, 'utf8'),
    )
    console.log(`${name} ${version}: passed`)
  } catch (error) {
    console.error(`${name}: FAILED`, error)
    process.exitCode = 1
  } finally {
    for (const app of apps) await app.stop('SIGKILL')
    for (const folder of outputs) rmSync(`${cwd}/${folder}`, { recursive: true, force: true })
  }
}
await Promise.all([browser.close(), listening.close(), redis.stop()])

function packageOf(name: string): string {
  return name === 'sveltekit' ? '@sveltejs/kit' : name
}
