import { createActor, createMachine } from 'xstate'
import { type Auth, createAuth } from '../src/index.ts'
import { heapUsed } from './heap.ts'
import { interleave, median } from './statistics.ts'

export interface Sessions {
  readonly sessions: number
  /** Bytes of heap that one idle, signed-in session holds. */
  readonly bytesEach: number
  /** Bytes of heap for each session that are still in use after `dispose()`. */
  readonly bytesLeftEach: number
  /** Nanoseconds of `createAuth` with `dispose()`, and of a bare actor with `start()` and `stop()`. */
  readonly createAuth: number
  readonly bareActor: number
  readonly ratio: number
}

/** Measures what many sessions in one process cost, as on a server that keeps one for each user. */
export async function measureSessions(sessions = 10_000): Promise<Sessions> {
  await weigh(1_000)
  const { bytesEach, bytesLeftEach } = await weigh(sessions)

  const calls = 20
  const repeat = (work: () => void) => async () => {
    for (let i = 0; i < calls; i++) work()
    // Microtasks that a start has scheduled belong to its cost.
    await Promise.resolve()
  }
  const bare = repeat(() => createActor(twoStates).start().stop())
  const session = repeat(() => createSession().dispose())
  await interleave(50, bare, session)
  const { a, b } = await interleave(200, bare, session)
  return {
    sessions,
    bytesEach,
    bytesLeftEach,
    createAuth: median(b) / calls,
    bareActor: median(a) / calls,
    ratio: median(a.map((time, round) => (b[round] ?? 0) / time)),
  }
}

async function weigh(sessions: number): Promise<Pick<Sessions, 'bytesEach' | 'bytesLeftEach'>> {
  const all = new Array<Auth | undefined>(sessions)
  const before = heapUsed()
  for (let i = 0; i < sessions; i++) all[i] = createSession()
  // A macrotask, so that all start-up work has ended.
  await new Promise(setImmediate)
  const bytesEach = (heapUsed() - before) / sessions
  for (const auth of all) auth?.dispose()
  all.fill(undefined)
  await new Promise(setImmediate)
  return { bytesEach, bytesLeftEach: (heapUsed() - before) / sessions }
}

const createSession = () =>
  createAuth({
    refresh: () => Promise.reject(new Error('No refresh is expected in this bench')),
    initialTokens: { access_token: 'at', refresh_token: 'rt', expires_in: 3600 },
  })

const twoStates = createMachine({
  initial: 'off',
  states: { off: { on: { toggle: 'on' } }, on: { on: { toggle: 'off' } } },
})
