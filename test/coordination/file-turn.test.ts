import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { SessionRecord, Turn } from '../../src/core/ports.ts'
import { fileCoordinator, fileStorage } from '../../src/file.ts'
import { startChild } from '../storage/child.ts'
import { pathOf } from './file-setup.ts'

const PATIENCE = 600

const wait = (timeout = 10_000, patience = PATIENCE) => ({
  signal: new AbortController().signal,
  timeout,
  patience,
})

const record = (rotation: number): SessionRecord => ({
  version: 1,
  id: 'a',
  rotation,
  startedAt: 1,
  receivedAt: 1,
  accessToken: `at-${rotation}`,
})

/** Two coordinators of one file, as of two processes. The first has presented the token of rotation 3 and given up the lock. */
async function presented(end: (turn: Turn) => void = () => {}) {
  const path = pathOf()
  const storage = fileStorage(path)
  storage.write(record(3))
  const first = fileCoordinator(path)
  const second = fileCoordinator(path)
  await first.exclusive(
    'refresh',
    async (turn) => {
      if (!turn) throw new Error('There is no turn')
      expect(await turn.present({ id: 'a', rotation: 3 })).toBe(true)
      expect(turn.holds()).toBe(true)
      end(turn)
    },
    wait(),
  )
  return { path, storage, first, second, mark: `${path}.lock/presented` }
}

/** What the next turn of a coordinator says, and how long it took to get it. */
async function nextTurn(
  coordinator: ReturnType<typeof fileCoordinator>,
  timeout?: number,
  patience?: number,
) {
  const began = performance.now()
  const turn = await coordinator.exclusive('refresh', async (turn) => turn, wait(timeout, patience))
  return { interrupted: turn?.interrupted, fence: turn?.fence, time: performance.now() - began }
}

it('a token that another process presented is awaited, then the turn says so', async () => {
  const { second } = await presented()
  const { interrupted, time } = await nextTurn(second)
  expect(interrupted).toEqual({ rotation: 3 })
  expect(time).toBeGreaterThanOrEqual(PATIENCE)
})

it('the wait ends as soon as the answer is stored', async () => {
  const { second, storage, mark } = await presented()
  const next = nextTurn(second)
  expect(await storage.replace?.(record(4), { id: 'a', rotation: 3 })).toBe('written')
  expect(existsSync(mark)).toBe(false)
  const { interrupted, time } = await next
  expect(interrupted).toBeUndefined()
  expect(time).toBeLessThan(PATIENCE)
})

it('no answer is awaited that came, or that the process itself was waiting for', async () => {
  const settled = await presented((turn) => turn.settle())
  expect((await nextTurn(settled.second)).interrupted).toBeUndefined()
  const { first } = await presented()
  const { interrupted, fence } = await nextTurn(first)
  expect(interrupted).toBeUndefined()
  expect(fence).toBe(2)
})

it('no answer is awaited of a process that has exited', async () => {
  const { second, mark } = await presented()
  const exited = startChild([process.execPath, '-e', ''])
  await exited.ended
  const real = JSON.parse(readFileSync(mark, 'utf8'))
  const owner = { ...real.owner, pid: exited.process.pid, start: '1' }
  writeFileSync(mark, JSON.stringify({ ...real, owner }))
  const { interrupted, time } = await nextTurn(second)
  expect(interrupted).toEqual({ rotation: 3 })
  expect(time).toBeLessThan(PATIENCE)
})

it('the wait for an answer is part of the wait for the lock', async () => {
  const { second } = await presented()
  // On a busy machine, a late timeout waits several times more: the patience has to be longer than all of that.
  await expect(nextTurn(second, 50, 60_000)).rejects.toMatchObject({ name: 'TimeoutError' })
})

it.each(['', '{', '{"rotation":"3"}', 'x'.repeat(5_000)])(
  'a damaged mark holds up no process: %#',
  async (text) => {
    const { second, mark } = await presented()
    writeFileSync(mark, text)
    expect((await nextTurn(second)).interrupted).toBeUndefined()
  },
)
