import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { fileCoordinator } from '../../src/file.ts'
import { bundleScript, startChild } from '../storage/child.ts'
import { pathOf, patient } from './file-setup.ts'

/** Creates an abandoned lock with this content of its owner and a last heartbeat `age` milliseconds ago. */
async function abandonedLock(ownerText: (real: Record<string, unknown>) => string, age: number) {
  const path = pathOf()
  const folder = `${path}.lock`
  // The content that this process would write.
  await fileCoordinator(path).exclusive('refresh', async () => {}, patient())
  const real = JSON.parse(readFileSync(join(folder, 'refresh.1'), 'utf8'))
  mkdirSync(folder, { recursive: true })
  const file = join(folder, 'refresh.7')
  writeFileSync(file, ownerText(real))
  const at = (Date.now() - age) / 1_000
  utimesSync(file, at, at)
  return { path, file }
}

/** When a lock is taken over: `'at once'`, `'later'` after a check for heartbeats, or `'never'` before the timeout. */
async function whenTaken(path: string, staleAfter: number, timeout = 5_000) {
  const began = performance.now()
  const { signal } = patient()
  try {
    await fileCoordinator(path, { staleAfter }).exclusive('refresh', async () => {}, {
      signal,
      timeout,
    })
  } catch {
    return 'never'
  }
  return performance.now() - began < 0.3 * staleAfter ? 'at once' : 'later'
}

describe('fileCoordinator with an abandoned lock', () => {
  const elsewhere = (real: object) => JSON.stringify({ ...real, machine: 'elsewhere' })

  it('takes over a lock of another machine once it is stale and a grace time passes without a heartbeat', async () => {
    const { path } = await abandonedLock(elsewhere, 1_001)
    expect(await whenTaken(path, 1_000)).toBe('later')
  })

  it('does not take over a lock of another machine while there are heartbeats', async () => {
    const { path, file } = await abandonedLock(elsewhere, 2_000)
    const heartbeat = setInterval(() => utimesSync(file, Date.now() / 1_000 - 2, Date.now() / 1_000 - 2), 20)
    onTestFinished(() => clearInterval(heartbeat))
    expect(await whenTaken(path, 1_000, 600)).toBe('never')
  })

  it('does not take over a lock of another machine before staleAfter, even if its pid has exited here', async () => {
    const exited = startChild([process.execPath, '-e', ''])
    await exited.ended
    const { path } = await abandonedLock(
      (real) => JSON.stringify({ ...real, machine: 'elsewhere', pid: exited.process.pid }),
      0,
    )
    expect(await whenTaken(path, 10_000, 300)).toBe('never')
  })

  it('does not take over a lock of a running process of this machine before staleAfter', async () => {
    const { path } = await abandonedLock((real) => JSON.stringify(real), 0)
    expect(await whenTaken(path, 10_000, 300)).toBe('never')
  })

  it('takes over a lock of an exited process of this machine at once', async () => {
    const exited = startChild([process.execPath, '-e', ''])
    await exited.ended
    const { path } = await abandonedLock((real) => JSON.stringify({ ...real, pid: exited.process.pid }), 0)
    expect(await whenTaken(path, 100_000)).toBe('at once')
  })

  if (existsSync('/proc/self/stat'))
    it('takes over a lock at once if the pid of its owner was reused', async () => {
      const { path } = await abandonedLock((real) => JSON.stringify({ ...real, start: '1' }), 0)
      expect(await whenTaken(path, 100_000)).toBe('at once')
    })

  it.each(['', '{"pid":', '{"pid":0}', 'null'])(
    'takes over a lock with the incomplete content %j once it is stale',
    async (text) => {
      const young = await abandonedLock(() => text, 0)
      expect(await whenTaken(young.path, 10_000, 300)).toBe('never')
      const old = await abandonedLock(() => text, 1_001)
      expect(await whenTaken(old.path, 1_000)).toBe('later')
    },
  )
})

describe('fileCoordinator in several processes', () => {
  let script: { path: string; remove: () => void }
  beforeAll(async () => {
    script = await bundleScript(new URL('../storage/cli.child.ts', import.meta.url))
  })
  afterAll(() => script?.remove())
  const child = (task: string, ...parameters: (string | number)[]) =>
    startChild([process.execPath, script.path, task, ...parameters])

  it('gives the lock to one process at a time, even if owners are killed', async () => {
    const path = pathOf()
    writeFileSync(`${path}.count`, '0')
    const turns = 30
    const counting = Array.from({ length: 4 }, () => child('count', path, '', turns))
    for (const { nextMessage } of counting) expect(await nextMessage()).toBe('counting')
    for (let killed = 0; killed < 5; killed++) {
      const victim = child('hold', path)
      expect(await victim.nextMessage()).toBe('holding')
      victim.process.kill('SIGKILL')
      await victim.ended
    }
    for (const { nextMessage } of counting) expect(await nextMessage()).toEqual({ overlaps: 0 })
    expect(readFileSync(`${path}.count`, 'utf8')).toBe(`${4 * turns}`)
    expect(readdirSync(`${path}.lock`)).toEqual([`refresh.${4 * turns + 5}`])
  }, 180_000)

  it('takes the lock from a stopped process, which does not disturb the new owner when it continues', async () => {
    const path = pathOf()
    const sleeper = child('holdUntilInput', path)
    expect(await sleeper.nextMessage()).toBe('holding')
    sleeper.process.kill('SIGSTOP')
    const heir = child('holdUntilInput', path)
    expect(await heir.nextMessage()).toBe('holding')
    sleeper.process.kill('SIGCONT')
    sleeper.process.stdin?.end('on')
    expect(await sleeper.nextMessage()).toBe('released')
    await expect(
      fileCoordinator(path).exclusive('refresh', async () => {}, { ...patient(), timeout: 300 }),
    ).rejects.toMatchObject({ name: 'TimeoutError' })
    heir.process.stdin?.end('on')
    expect(await heir.nextMessage()).toBe('released')
    await fileCoordinator(path).exclusive('refresh', async () => {}, patient())
  })
})
