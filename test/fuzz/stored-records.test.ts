import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStorage } from 'unstorage'
import { expect } from 'vitest'
import { fileStorage } from '../../src/file.ts'
import { defineStorage, type SessionStorage, sessionLimits } from '../../src/index.ts'
import { decrypt, encrypt } from '../../src/storage/aes-gcm.ts'
import { unstorageStorage, webStorage } from '../../src/storage/index.ts'
import { FULL } from '../storage/contract.ts'
import { fakeWebStorage } from '../storage/web-storage-fake.ts'
import fc from '../support/property.ts'
import { clonable, likely } from './clonable.ts'
import { fuzz, settled } from './fuzz.ts'
import { createFuzzedAuth, SECRET } from './session.ts'

const number = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.double(),
  fc.constantFrom(8.64e15, -8.64e15, Number.MAX_SAFE_INTEGER, 1_700_000_000_000, 1_700_000_000_500, 1e300),
)
const token = fc.constantFrom<unknown>(SECRET, null, '', `${SECRET}\r\n`, SECRET.repeat(12_000), 5)
const record = likely({
  version: fc.constantFrom(1, 1, 1, 1, 2),
  id: fc.constantFrom('a', '', '__proto__', 'x'.repeat(1_000)),
  rotation: number,
  startedAt: number,
  receivedAt: number,
  accessToken: token,
  refreshToken: token,
  idToken: token,
  expiresAt: number,
  refreshTokenExpiresAt: number,
  scope: fc.string(),
  subject: fc.string(),
  user: likely({ app: fc.string(), idToken: fc.string() }),
  profile: clonable,
  more: clonable,
})
const text = fc.oneof(
  record.map((value) => {
    try {
      return JSON.stringify(value)
    } catch {
      return '{'
    }
  }),
  fc.json(),
  fc.string(),
  fc.nat(200).map((length) => JSON.stringify(FULL).slice(0, length)),
  fc.constantFrom(
    '',
    'null',
    'undefined',
    '1',
    `{"version":1,"accessToken":"${SECRET}`,
    '{"__proto__":{"polluted":1,"version":1}}',
    '['.repeat(500_000),
    `${'['.repeat(500_000)}${']'.repeat(500_000)}`,
    ' '.repeat(3_000_000),
    '\u0000\ud800',
  ),
)

const thrown = () => {
  throw new TypeError(SECRET)
}
type Then = (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void
const thenable = (then: Then) => Object.defineProperty({}, 'then', { value: then })
let secrets = 0
/** Values that only a store of the app can return. */
const hostile = fc.constantFrom<() => unknown>(
  () => new Proxy(FULL, { get: thrown }),
  () =>
    new Proxy(FULL, {
      get: (target, key) => (key === 'then' ? undefined : target[key as never]),
      ownKeys: thrown,
    }),
  () => Object.defineProperty({}, 'then', { get: thrown }),
  () => thenable((resolve) => resolve(FULL)),
  () => thenable((_, reject) => reject(new TypeError(SECRET))),
  () => thenable(thrown),
  () => Promise.resolve(thenable(() => {})),
  () => new Promise(() => {}),
  () => {
    let reads = 0
    return {
      ...FULL,
      get accessToken() {
        return reads++ < 2 ? 'good' : { toString: thrown }
      },
    }
  },
  () => {
    let reads = 0
    return {
      ...FULL,
      get rotation() {
        if (reads++ > 0) thrown()
        return 5
      },
    }
  },
  () => {
    const { proxy, revoke } = Proxy.revocable({ ...FULL }, {})
    setImmediate(revoke)
    return proxy
  },
  () => Promise.reject(Object.assign(new Error(SECRET), { name: `${SECRET} ${secrets++}` })),
  () => Promise.reject(Object.defineProperty(new Error(), 'name', { get: thrown })),
  () => Promise.reject(new Proxy(new Error(), { getPrototypeOf: thrown, get: thrown })),
  () => {
    throw Symbol(SECRET)
  },
  () => () => {},
)
const value = fc.oneof(
  { weight: 4, arbitrary: record.map((found) => () => found as unknown) },
  { weight: 2, arbitrary: clonable.map((found) => () => found) },
  { weight: 2, arbitrary: record.map((found) => () => Promise.resolve(found)) },
  { weight: 3, arbitrary: hostile },
)

/** Starts a session on a store, whatever that holds, signs in, and finds the session again. */
async function visit(storage: Parameters<typeof createFuzzedAuth>[0]['storage'], keeps = true) {
  const options = {
    storage: storage!,
    signIn: () => ({ access_token: `${SECRET}-in`, refresh_token: `${SECRET}-rt`, subject: 'ada' }),
    limits: sessionLimits({ idle: 600_000, absolute: 86_400_000 }),
  }
  const first = createFuzzedAuth(options)
  const ready = first.auth.ready()
  await first.clock.advance(30_000)
  await settled('ready()', ready)
  const signIn = first.auth.signIn({})
  await first.clock.advance(60_000)
  expect(await settled('a sign-in', signIn)).toMatchObject({ subject: 'ada' })
  void first.auth.endsAt
  await first.clock.advance(60_000)
  if (keeps) {
    expect(first.auth.state).toBe('authenticated')
    first.check()
  }
  expect(first.timers()).toBeLessThan(500)
  await first.end()
  if (!keeps) return
  const next = createFuzzedAuth(options)
  const restored = next.auth.ready()
  await next.clock.advance(200)
  await settled('the next visit', restored)
  expect(next.auth.session, 'after a reload').toMatchObject({ subject: 'ada' })
  next.check()
  const out = next.auth.signOut()
  await next.clock.advance(30_000)
  await settled('a sign-out', out)
  await next.end()
}

fuzz(
  'a sign-in replaces whatever another script wrote under the key of webStorage',
  fc.record({ text, lastUse: fc.oneof(fc.string(), number.map(String)) }),
  async ({ text, lastUse }) => {
    const area = fakeWebStorage()
    area.entries.set('authchart', text).set('authchart.last-use', lastUse)
    await visit(webStorage(area))
    expect(area.entries.size).toBe(0)
  },
)

fuzz(
  'a sign-in replaces whatever the file of fileStorage contains',
  fc.oneof(text, fc.uint8Array()),
  async (content) => {
    const folder = mkdtempSync(join(tmpdir(), 'authchart-'))
    try {
      const path = join(folder, 'session.json')
      writeFileSync(path, content)
      await visit(fileStorage(path))
    } finally {
      rmSync(folder, { recursive: true })
    }
  },
)

fuzz(
  'a sign-in replaces whatever is behind unstorage',
  fc.record({ found: fc.oneof(text, clonable, record), lastUse: clonable }),
  async ({ found, lastUse }) => {
    const items = new Map<string, unknown>([
      ['authchart', found],
      ['authchart.last-use', lastUse],
    ])
    await visit(
      unstorageStorage({
        getItem: async (key) => items.get(key) ?? null,
        setItem: async (key, item) => void items.set(key, item),
        removeItem: async (key) => void items.delete(key),
      }),
    )
    const driver = createStorage()
    if (typeof found === 'string') await driver.setItemRaw('authchart', found)
    await visit(unstorageStorage(driver))
  },
)

fuzz(
  'an entry that encryptedStorage did not write is an invalid record',
  fc.record({ part: fc.constantFrom('version', 'key', 'iv', 'data', 'all', 'place'), value: clonable }),
  async ({ part, value }) => {
    const entry = await encrypt(FULL, 'here')
    const changed = part === 'all' ? value : part === 'place' ? entry : { ...entry, [part]: value }
    const outcome = await settled('decrypt()', decrypt(changed, part === 'place' ? 'there' : 'here'))
    if (part !== 'version' || value !== 1)
      expect(outcome).toMatchObject({ code: 'storage_failed', reason: 'invalid_record' })
  },
)

fuzz(
  'a session goes on, whatever a store of the app returns, throws or reports',
  fc.record({
    reads: fc.array(value, { minLength: 1, maxLength: 5 }),
    uses: fc.array(
      fc.oneof(
        number.map((n) => () => n as unknown),
        value,
      ),
      { minLength: 1, maxLength: 3 },
    ),
    written: fc.option(value),
    stop: fc.option(value),
    floods: fc.boolean(),
  }),
  async ({ reads, uses, written, stop, floods }) => {
    let count = 0
    let asked = 0
    const storage = {
      read: () => {
        if (count++ === 1 && floods) for (let n = 0; n < 200; n++) report()
        return reads[count % reads.length]!()
      },
      write: () => written?.(),
      clear: () => written?.(),
      readLastUse: () => uses[asked++ % uses.length]!(),
      writeLastUse: () => written?.(),
      subscribe: (onChange: () => void) => {
        report = onChange
        return (stop ? stop() : () => written?.()) as () => void
      },
    } satisfies SessionStorage
    let report = () => {}
    await visit(defineStorage(storage), false)
    expect(count, 'reads').toBeLessThan(60)
    expect(asked, 'reads of the last use').toBeLessThan(100)
  },
)
