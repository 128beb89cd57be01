import { expect, it } from 'vitest'
import type { SessionStorage } from '../../src/core/ports.ts'
import { isSessionRecord } from '../../src/core/session/record.ts'
import { createHarness, SECRET, tokens } from './auth-setup.ts'

const RECORD = {
  version: 1,
  id: 'x',
  rotation: 0,
  startedAt: 1,
  receivedAt: 1,
  accessToken: null,
  refreshToken: `${SECRET}-rt`,
}
const fail = () => {
  throw new Error(SECRET)
}
const signedOut = (storage: Partial<SessionStorage>, more = {}) =>
  createHarness({
    signedOut: true,
    storage: { read: () => undefined, write() {}, clear() {}, ...storage },
    ...more,
  })

it('a session that reached a limit does not come back from a store that cannot be cleared', async () => {
  let reads = 0
  const read = () => {
    if (++reads > 1_000) throw new Error('It reads without end')
    return RECORD
  }
  const { auth, clock } = signedOut({ read, clear: fail }, { limits: { idle: 1_000, absolute: 2_000 } })
  await clock.advance(1_000)
  expect(auth.state).toBe('expired')
  expect(reads).toBeLessThan(10)
})

it('a thousand reported changes are a few reads', async () => {
  let reads = 0
  let report = () => {}
  const { clock } = signedOut({
    read: () => void reads++,
    subscribe(onChange) {
      report = onChange
      return () => {}
    },
  })
  await clock.advance(1)
  const before = reads
  for (let n = 0; n < 1_000; n++) report()
  await clock.advance(1)
  expect(reads - before).toBeGreaterThan(0)
  expect(reads - before).toBeLessThan(5)
})

it('a record that changes after it was checked is used as it was', async () => {
  let lookups = 0
  const changing = {
    ...RECORD,
    get accessToken() {
      return lookups++ < 4 ? 'good' : fail()
    },
  }
  const { auth, clock } = signedOut({ read: () => changing })
  await clock.advance(1)
  expect(await auth.getAccessToken()).toBe('good')
})

it.each([
  ['a name that is a text', Object.assign(new Error(), { name: `${SECRET} is stored` })],
  ['a name whose getter throws', Object.defineProperty(new Error(), 'name', { get: fail })],
])('the error of a store is reported as failed if it has %s', async (_, error) => {
  const { clock, last } = signedOut({ read: () => Promise.reject(error) })
  await clock.advance(1)
  expect(last('storageFailed')).toMatchObject({ reason: 'failed' })
})

it('a sign-in after a session from the end of time is stored as a valid record', async () => {
  const written: unknown[] = []
  const read = () => ({ ...RECORD, startedAt: 8.64e15 })
  const { auth, clock } = signedOut({ read, write: (record) => void written.push(record) })
  await clock.advance(1)
  await auth.setTokens(tokens(7))
  expect(isSessionRecord(written.at(-1))).toBe(true)
})

it.each([
  ['at once', () => fail],
  ['later', () => async () => fail()],
  ['after a late subscription', async () => fail],
])('a subscription whose end fails %s causes no unhandled rejection', async (_, subscribe) => {
  const { auth, clock } = signedOut({ subscribe: subscribe as never })
  await clock.advance(1)
  auth.dispose()
  // Vitest fails on a rejection that nothing handles.
  await clock.advance(1)
  expect(auth.actor.getSnapshot().status).toBe('stopped')
})

it('a thenable that returns nothing from then() is awaited', async () => {
  const then = (resolve: (value: unknown) => void) => resolve({ ...RECORD, accessToken: 'a' })
  const read = () => Object.defineProperty({}, 'then', { value: then })
  const { auth, clock } = signedOut({ read })
  await clock.advance(1)
  expect(auth.state).toBe('authenticated')
})
