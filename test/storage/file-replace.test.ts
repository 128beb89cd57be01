import { execFileSync } from 'node:child_process'
import fs, { existsSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import type { SessionRecord } from '../../src/core/ports.ts'
import { fileStorage } from '../../src/file.ts'
import { bundleScript, startChild, temporaryFolder } from './child.ts'

let script: { path: string; remove: () => void }
let clearing: { path: string; remove: () => void }
beforeAll(async () => {
  script = await bundleScript(new URL('./replace.child.ts', import.meta.url))
  clearing = await bundleScript(new URL('./clear.child.ts', import.meta.url))
})
afterAll(() => {
  script?.remove()
  clearing?.remove()
})

const record = (rotation: number, id = 'a', startedAt = 1): SessionRecord => ({
  version: 1,
  id,
  rotation,
  startedAt,
  receivedAt: 1,
  accessToken: `at-${rotation}`,
})

function store() {
  const path = join(temporaryFolder(), 'session.json')
  const storage = fileStorage(path)
  const replace = async (next: SessionRecord, expected?: SessionRecord) => storage.replace?.(next, expected)
  return { path, storage, replace }
}

it('replaces older tokens, and the tokens of an earlier sign-in', async () => {
  const { storage, replace } = store()
  expect(await replace(record(0))).toBe('written')
  expect(await replace(record(1), record(0))).toBe('written')
  // Written back: another process had only an older copy.
  expect(await replace(record(5), record(4))).toBe('written')
  expect(await replace(record(0, 'b', 2))).toBe('written')
  expect(storage.read()).toEqual(record(0, 'b', 2))
})

it('keeps newer tokens, and those of another refresh with the same token', async () => {
  const { storage, replace } = store()
  await replace(record(4))
  expect(await replace(record(3), record(2))).toBe('newer')
  expect(await replace({ ...record(4), accessToken: 'other' }, record(3))).toBe('newer')
  expect(await replace(record(9, 'b', 0))).toBe('newer')
  expect(storage.read()).toEqual(record(4))
  expect(await replace({ ...record(4), accessToken: 'same' }, record(4))).toBe('written')
})

it('does not bring back a session whose record was removed, and replaces a damaged one', async () => {
  const { path, storage, replace } = store()
  await replace(record(0))
  await storage.clear()
  expect(await replace(record(1), record(0))).toBe('gone')
  expect(storage.read()).toBeUndefined()
  writeFileSync(path, '{"version":1')
  expect(await replace(record(1), record(0))).toBe('written')
})

it('takes one step at a time over all processes', async () => {
  const { path, storage, replace } = store()
  await replace(record(0))
  const children = Array.from({ length: 4 }, () => startChild([process.execPath, script.path, path, 40]))
  const results = await Promise.all(children.map(({ nextMessage }) => nextMessage()))
  const written = results.reduce((sum, result) => sum + result.written, 0)
  expect((storage.read() as SessionRecord).rotation).toBe(written)
  expect(results.every(({ gone }) => gone === 0)).toBe(true)
  expect(results.some(({ newer }) => newer > 0)).toBe(true)
})

it('does not wait for a process that was killed in the middle of a step', async () => {
  const { path, replace } = store()
  await replace(record(0))
  writeFileSync(`${path}.claim`, '')
  const past = Date.now() / 1_000 - 10
  utimesSync(`${path}.claim`, past, past)
  expect(await replace(record(1), record(0))).toBe('written')
})

describe('a sign-out of another process in the middle of a write', () => {
  /** Runs something when the next write has its text, and has not replaced the file yet. */
  function duringWrite(work: () => void) {
    const original = fs.fsyncSync
    const restore = () => {
      fs.fsyncSync = original
    }
    onTestFinished(restore)
    fs.fsyncSync = (opened) => {
      restore()
      work()
      original(opened)
    }
  }
  const block = (ms: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

  it('waits for it, and then removes what it wrote', async () => {
    const { path, replace } = store()
    await replace(record(0))
    const started = `${path}.started`
    const child = startChild([process.execPath, clearing.path, path, started])
    duringWrite(() => {
      while (!existsSync(started)) block(5)
      block(200)
    })
    await replace(record(1), record(0))
    expect(await child.ended).toMatchObject({ code: 0 })
    expect(existsSync(path)).toBe(false)
  })

  it('is not undone by a process that was stopped for longer than others wait', async () => {
    const { path, replace } = store()
    await replace(record(0))
    duringWrite(() => execFileSync(process.execPath, [clearing.path, path, `${path}.started`]))
    expect(await replace(record(1), record(0))).toBe('gone')
    expect(existsSync(path)).toBe(false)
  })
})
