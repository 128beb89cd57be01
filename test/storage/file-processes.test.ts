import { readdirSync, readFileSync, statSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { createAuth, type SessionRecord } from '../../src/index.ts'
import { fileStorage } from '../../src/storage/index.ts'
import { createTokenServer, type TokenServerOptions } from '../../src/testing/index.ts'
import { bundleScript, startChild, temporaryFolder } from './child.ts'
import { FULL } from './contract.ts'

/** For the whole acceptance: 30. */
const SECONDS = Number(process.env.AUTHCHART_SECONDS ?? 4)

let script: { path: string; remove: () => void }
beforeAll(async () => {
  script = await bundleScript(new URL('./cli.child.ts', import.meta.url))
})
afterAll(() => script?.remove())

const child = (task: string, ...parameters: (string | number)[]) =>
  startChild([process.execPath, script.path, task, ...parameters])

/** A server, and a file that holds a session of it. */
async function setUp(options: TokenServerOptions = {}) {
  const server = createTokenServer({ reuseGrace: 0, ...options })
  const { url, close } = await server.listen()
  onTestFinished(close)
  const path = join(temporaryFolder(), 'tool', 'session.json')
  const auth = createAuth({ storage: fileStorage(path), refresh: () => ({}), renew: 'demand' })
  await auth.setTokens(server.issue())
  auth.dispose()
  return { server, url, path, record: () => JSON.parse(readFileSync(path, 'utf8')) as SessionRecord }
}

describe('processes that share a session in a file', () => {
  it(
    'renew it once for all of them, and no request of theirs fails',
    async () => {
      const lifetime = 1_000
      const { server, url, path } = await setUp({ accessTokenLifetime: lifetime })
      const children = Array.from({ length: 4 }, () => child('requests', path, url, SECONDS * 1_000))
      for (const { says } of children) expect(await says()).toBe('ready')
      const began = performance.now()
      const reports = await Promise.all(children.map(({ says }) => says()))
      const lifetimes = (performance.now() - began) / lifetime
      for (const { ended } of children) expect(await ended).toMatchObject({ code: 0, errors: '' })

      const answered = reports.reduce((sum, { outcomes }) => sum + outcomes['200'], 0)
      console.log(
        `4 processes, ${SECONDS} s, tokens of ${lifetime} ms: ${answered} requests, ${server.refreshes} refreshes, ` +
          `${server.reuseDetections} reuse detections`,
      )
      for (const report of reports) {
        expect(report.ended).toEqual([])
        expect(['authenticated', 'refreshing']).toContain(report.state)
        expect(Object.keys(report.outcomes)).toEqual(['200'])
        expect(report.generation).toBeGreaterThan(lifetimes / 2)
      }
      expect(server.reuseDetections).toBe(0)
      expect(server.refreshes).toBe(server.tokenRequests)
      // A token is renewed after four fifths of its life.
      expect(server.refreshes).toBeGreaterThan(lifetimes / 2)
      expect(server.refreshes).toBeLessThan(lifetimes * 1.25 + 2)
    },
    SECONDS * 1_000 + 60_000,
  )
})

describe('a process that shares a session in a file', () => {
  it('renews it once together with all that were started at the same time, with a token that has run out', async () => {
    const { server, url, path } = await setUp()
    server.expireAccessTokens()
    const children = Array.from({ length: 4 }, () => child('leave', path, url))
    for (const { says } of children) expect(await says()).toEqual({ status: 200, state: 'authenticated' })
    expect(server).toMatchObject({ refreshes: 1, tokenRequests: 1, reuseDetections: 0 })
  })

  it('takes over when another is killed while it renews', async () => {
    const { server, url, path, record } = await setUp()
    const held = server.holdNext()
    const victim = child('renew', path, url)
    await held.arrived
    victim.process.kill('SIGKILL')
    expect(await victim.ended).toMatchObject({ signal: 'SIGKILL' })
    const heir = child('renew', path, url)
    expect(await heir.says()).toBe('renewing')
    const { token } = await heir.says()
    await heir.ended
    expect(record()).toMatchObject({ rotation: 1, accessToken: token })
    expect(server).toMatchObject({ refreshes: 1, tokenRequests: 2, reuseDetections: 0 })
  })

  it('waits for another that renews, and takes what that one was given', async () => {
    const { server, url, path, record } = await setUp()
    const held = server.holdNext()
    const first = child('renew', path, url)
    await held.arrived
    const second = child('renew', path, url)
    for (const { says } of [first, second]) expect(await says()).toBe('renewing')
    held.answer()
    const said = await Promise.all([first.says(), second.says()])
    await first.ended
    expect(said).toEqual(Array(2).fill({ token: record().accessToken }))
    expect(server).toMatchObject({ refreshes: 1, tokenRequests: 1, reuseDetections: 0 })
  })

  it.each(['exit', 'dispose'])('may %s as soon as it has what it wants', async (way) => {
    const { server, url, path, record } = await setUp()
    const { says, ended } = child(way, path, url)
    const { token } = await says()
    expect(await ended).toEqual({ code: 0, signal: null, errors: '' })
    expect(record()).toMatchObject({ rotation: 1, accessToken: token })
    expect(server).toMatchObject({ refreshes: 1 })
  })

  it('ends when its script does, whatever it watches and was to renew', async () => {
    const { url, path } = await setUp()
    const { says, ended } = child('leave', path, url)
    expect(await says()).toEqual({ status: 200, state: 'authenticated' })
    expect(await ended).toEqual({ code: 0, signal: null, errors: '' })
  })
})

describe('fileStorage in a process that is killed', () => {
  it('leaves the old record or the new one, whole, for its user alone to read', async () => {
    const path = join(temporaryFolder(), 'session.json')
    const storage = fileStorage(path)
    for (let round = 0; round < 15; round++) {
      const writer = child('write', path)
      expect(await writer.says()).toBe('writing')
      // The more rounds, the more places in the writing where it ends.
      const end = performance.now() + 2 * round
      while (performance.now() < end) await new Promise((resolve) => setImmediate(resolve))
      writer.process.kill('SIGKILL')
      await writer.ended
      const { rotation, accessToken } = (await storage.read()) as SessionRecord
      expect(accessToken).toHaveLength(rotation % 2 ? 400_002 : 2)
      expect(statSync(path).mode & 0o777).toBe(0o600)
    }
    expect(others(path).length, 'deaths in the middle of writing').toBeGreaterThan(0)
    for (const left of others(path)) expect(statSync(left).mode & 0o777).toBe(0o600)

    // What they left behind goes, once it is too old to be of anybody who still writes.
    const old = Date.now() / 1_000 - 61
    for (const left of others(path)) utimesSync(left, old, old)
    await storage.clear()
    expect(others(path)).toEqual([])
  }, 60_000)
})

describe('fileStorage without room', () => {
  it('keeps the old record and leaves nothing half written', async () => {
    const path = join(temporaryFolder(), 'session.json')
    const storage = fileStorage(path)
    await storage.write(FULL)
    // A file of at most 8 KB, whoever runs it.
    const { says } = startChild([
      '/bin/sh',
      '-c',
      'ulimit -f 16; exec "$0" "$@"',
      process.execPath,
      script.path,
      'writeOnce',
      path,
    ])
    const said = await says()
    expect(said).toMatchObject({ code: 'storage_failed', reason: 'EFBIG' })
    expect(said.error).not.toContain('SECRET')
    expect(await storage.read()).toEqual(FULL)
    expect(others(path)).toEqual([])
  })
})

/** What else is in the folder of that file. */
const others = (path: string) =>
  readdirSync(dirname(path))
    .map((name) => join(dirname(path), name))
    .filter((other) => other !== path)
