import { describe, expect, it, onTestFinished, vi } from 'vitest'
import {
  type AuthOptions,
  createAuth,
  defineStorage,
  type SessionRecord,
  type SessionStorage,
  sessionLimits,
} from '../../src/index.ts'
import { webStorage } from '../../src/storage/index.ts'
import { storageContract } from './contract.ts'
import { fakeWebStorage } from './web-storage-fake.ts'

/** A place in memory that stores of a class share. */
class Memory {
  record: unknown
  lastUse: number | undefined
  readonly listeners = new Set<() => void>()
}

/** A store whose methods are on the prototype and use private fields, so that each needs its `this`. */
class ClassStorage implements SessionStorage {
  readonly #memory: Memory

  constructor(memory: Memory) {
    this.#memory = memory
  }

  read() {
    return this.#memory.record
  }

  write(record: SessionRecord) {
    this.#change(record)
  }

  clear() {
    this.#memory.lastUse = undefined
    this.#change(undefined)
  }

  readLastUse() {
    return this.#memory.lastUse
  }

  writeLastUse(at: number) {
    this.#memory.lastUse = at
  }

  subscribe(onChange: () => void) {
    this.#memory.listeners.add(onChange)
    return () => this.#memory.listeners.delete(onChange)
  }

  #change(record: unknown) {
    this.#memory.record = record
    for (const listener of this.#memory.listeners) listener()
  }
}

/** Creates a session that is disposed of after the test. */
function start(options: Partial<AuthOptions>) {
  const auth = createAuth({ refresh: () => ({ access_token: 'b' }), ...options })
  onTestFinished(() => auth.dispose())
  return auth
}

storageContract(
  'defineStorage with an instance of a class',
  () => {
    const memory = new Memory()
    return {
      open: () => defineStorage(new ClassStorage(memory)),
      put: (value) => {
        memory.record = value
      },
    }
  },
  { reports: 'all' },
)

describe('defineStorage', () => {
  it('createAuth uses every method of a class instance in defineStorage, also the optional ones', async () => {
    const memory = new Memory()
    const storage = defineStorage(new ClassStorage(memory))
    const auth = start({ storage, limits: sessionLimits({ idle: 60_000 }) })
    expect(memory.listeners.size).toBe(1)
    await auth.setTokens({ access_token: 'a', refresh_token: 'r' })
    expect(memory.record).toMatchObject({ accessToken: 'a', refreshToken: 'r' })
    expect(memory.lastUse).toBeTypeOf('number')
    expect(await start({ storage }).getAccessToken()).toBe('a')
    await auth.signOut()
    expect([memory.record, memory.lastUse]).toEqual([undefined, undefined])
    auth.dispose()
  })

  it('defineStorage leaves out the optional methods that a store does not have', () => {
    const storage = defineStorage({ read: () => undefined, write() {}, clear() {} })
    expect(Object.keys(storage).sort()).toEqual(['clear', 'read', 'write'])
  })

  it.each(['read', 'write', 'clear'])('defineStorage throws a TypeError if %s is missing', (name) => {
    const complete = { read: () => undefined, write() {}, clear() {} }
    expect(() => defineStorage({ ...complete, [name]: undefined })).toThrow(
      new TypeError(`defineStorage: ${name} must be a function.`),
    )
  })

  it('createAuth throws a TypeError that names defineStorage if the storage is a plain object', () => {
    const storage = { read: () => undefined, write() {}, clear() {} }
    expect(() => start({ storage: storage as never })).toThrow(/storage must be .*defineStorage\(/)
  })
})

describe('a copy of a storage with one method of its own', () => {
  it('createAuth calls the method that replaces one of the copied methods', async () => {
    const area = fakeWebStorage()
    const original = webStorage(() => area)
    const write = vi.fn((record: SessionRecord) => original.write({ ...record, scope: 'marked' }))
    const auth = start({ storage: { ...original, write } })
    await auth.setTokens({ access_token: 'a' })
    expect(write).toHaveBeenCalledOnce()
    expect(original.read()).toMatchObject({ accessToken: 'a', scope: 'marked' })
  })

  it('createAuth restores and clears the session with the copied methods', async () => {
    const area = fakeWebStorage()
    const original = webStorage(() => area)
    await start({ storage: original }).setTokens({ access_token: 'a' })
    const auth = start({ storage: { ...original, write() {} } })
    expect(await auth.getAccessToken()).toBe('a')
    await auth.signOut()
    expect(original.read()).toBeUndefined()
  })
})
