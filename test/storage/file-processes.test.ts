import { readdirSync, readFileSync, statSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { fileStorage } from '../../src/file.ts'
import { createAuth, type SessionRecord } from '../../src/index.ts'
import { createTokenServer, type TokenServerOptions } from '../../src/testing/index.ts'
import { bundleScript, startChild, temporaryFolder } from './child.ts'
import { FULL } from './contract.ts'

/** Duration of the load test in seconds. The full acceptance run uses 30. */
const SECONDS = Number(process.env.AUTHCHART_SECONDS ?? 4)

let script: { path: string; remove: () => void }
beforeAll(async () => {
  script = await bundleScript(new URL('./cli.child.ts', import.meta.url))
})
afterAll(() => script?.remove())

const child = (task: string, ...parameters: (string | number)[]) =>
  startChild([process.execPath, script.path, task, ...parameters])

/** Creates a token server, and a file with one of its sessions. */
async function setUp(options: TokenServerOptions = {}) {
  const server = createTokenServer({ reuseGrace: 0, ...options })
  const { url, close } = await server.listen()
  onTestFinished(close)
  const path = join(temporaryFolder(), 'tool', 'session.json')
  const auth = createAuth({ storage: fileStorage(path), refresh: () => ({}), refreshOn: 'demand' })
  await auth.setTokens(server.issue())
  auth.dispose()
  return { server, url, path, record: () => JSON.parse(readFileSync(path, 'utf8')) as SessionRecord }
}

describe('processes that share a session in a file', () => {
  it(
    'refresh once for all of them without a failed request',
    async () => {
      const lifetime = 1_000
      const { server, url, path } = await setUp({ accessTokenLifetime: lifetime })
      const children = Array.from({ length: 4 }, () => child('requests', path, url, SECONDS * 1_000))
      for (const { nextMessage } of children) expect(await nextMessage()).toBe('ready')
      const began = performance.now()
      const reports = await Promise.all(children.map(({ nextMessage }) => nextMessage()))
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
      // A token is refreshed after four fifths of its lifetime.
      expect(server.refreshes).toBeGreaterThan(lifetimes / 2)
      expect(server.refreshes).toBeLessThan(lifetimes * 1.25 + 2)
    },
    SECONDS * 1_000 + 60_000,
  )
})

describe('a process that shares a session in a file', () => {
  it('shares one refresh with all processes that start at the same time with an expired token', async () => {
    const { server, url, path } = await setUp()
    server.expireAccessTokens()
    const children = Array.from({ length: 4 }, () => child('runToEnd', path, url))
    for (const { nextMessage } of children)
      expect(await nextMessage()).toEqual({ status: 200, state: 'authenticated' })
    expect(server).toMatchObject({ refreshes: 1, tokenRequests: 1, reuseDetections: 0 })
  })

  it('takes over when another process is killed during its refresh', async () => {
    const { server, url, path, record } = await setUp()
    const held = server.holdNext()
    const victim = child('refresh', path, url)
    await held.arrived
    victim.process.kill('SIGKILL')
    expect(await victim.ended).toMatchObject({ signal: 'SIGKILL' })
    const heir = child('refresh', path, url)
    expect(await heir.nextMessage()).toBe('refreshing')
    const { token } = await heir.nextMessage()
    await heir.ended
    expect(record()).toMatchObject({ rotation: 1, accessToken: token })
    expect(server).toMatchObject({ refreshes: 1, tokenRequests: 2, reuseDetections: 0 })
  })

  it('waits for the refresh of another process, and uses its tokens', async () => {
    const { server, url, path, record } = await setUp()
    const held = server.holdNext()
    const first = child('refresh', path, url)
    await held.arrived
    const second = child('refresh', path, url)
    for (const { nextMessage } of [first, second]) expect(await nextMessage()).toBe('refreshing')
    held.answer()
    const messages = await Promise.all([first.nextMessage(), second.nextMessage()])
    await first.ended
    expect(messages).toEqual(Array(2).fill({ token: record().accessToken }))
    expect(server).toMatchObject({ refreshes: 1, tokenRequests: 1, reuseDetections: 0 })
  })

  it.each(['exit', 'dispose'])('may call %s as soon as it has the token', async (task) => {
    const { server, url, path, record } = await setUp()
    const { nextMessage, ended } = child(task, path, url)
    const { token } = await nextMessage()
    expect(await ended).toEqual({ code: 0, signal: null, errors: '' })
    expect(record()).toMatchObject({ rotation: 1, accessToken: token })
    expect(server).toMatchObject({ refreshes: 1 })
  })

  it('ends with its script, although it watches the file and has scheduled a refresh', async () => {
    const { url, path } = await setUp()
    const { nextMessage, ended } = child('runToEnd', path, url)
    expect(await nextMessage()).toEqual({ status: 200, state: 'authenticated' })
    expect(await ended).toEqual({ code: 0, signal: null, errors: '' })
  })
})

describe('fileStorage in a process that is killed', () => {
  it('leaves the complete old or new record, readable for its user only', async () => {
    const path = join(temporaryFolder(), 'session.json')
    const storage = fileStorage(path)
    // At least until a writer was killed during a write.
    for (let round = 0; round < 15 || others(path).length === 0; round++) {
      const writer = child('write', path)
      expect(await writer.nextMessage()).toBe('writing')
      // Each round kills the writer at another point of the write.
      const end = performance.now() + 2 * (round % 15) + Math.random()
      while (performance.now() < end) await new Promise((resolve) => setImmediate(resolve))
      writer.process.kill('SIGKILL')
      await writer.ended
      const { rotation, accessToken } = (await storage.read()) as SessionRecord
      expect(accessToken).toHaveLength(rotation % 2 ? 400_002 : 2)
      expect(statSync(path).mode & 0o777).toBe(0o600)
    }
    for (const file of others(path)) expect(statSync(file).mode & 0o777).toBe(0o600)

    // Temporary files are removed once they are too old to belong to a write in progress.
    const old = Date.now() / 1_000 - 61
    for (const file of others(path)) utimesSync(file, old, old)
    await storage.clear()
    expect(others(path)).toEqual([])
  }, 180_000)
})

describe('fileStorage on a full disk', () => {
  it('keeps the old record and leaves no partial file', async () => {
    const path = join(temporaryFolder(), 'session.json')
    const storage = fileStorage(path)
    await storage.write(FULL)
    // Limits files to 8 KB, for any user that runs the test.
    const { nextMessage } = startChild([
      '/bin/sh',
      '-c',
      'ulimit -f 16; exec "$0" "$@"',
      process.execPath,
      script.path,
      'writeOnce',
      path,
    ])
    const message = await nextMessage()
    expect(message).toMatchObject({ code: 'storage_failed', reason: 'EFBIG' })
    expect(message.error).not.toContain('SECRET')
    expect(await storage.read()).toEqual(FULL)
    expect(others(path)).toEqual([])
  })
})

/** The other files in the folder of this file. */
const others = (path: string) =>
  readdirSync(dirname(path))
    .map((name) => join(dirname(path), name))
    .filter((other) => other !== path)
