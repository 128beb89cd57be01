import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createStorage, type Driver, defineDriver, prefixStorage } from 'unstorage'
import fsDriver from 'unstorage/drivers/fs'
import fsLiteDriver from 'unstorage/drivers/fs-lite'
import memoryDriver from 'unstorage/drivers/memory'
import { describe, expect, it, onTestFinished, vi } from 'vitest'
import { createAuth } from '../../src/index.ts'
import { type UnstorageLike, unstorageStorage } from '../../src/storage/index.ts'
import { FULL, LEAST, storageContract } from './contract.ts'

/** A driver whose operations can be made to fail, like a driver whose server is unreachable. */
const failing = defineDriver(() => {
  const memory = memoryDriver()
  const state: { error?: Error } = {}
  const guarded = <Arguments extends unknown[], T>(operation: (...input: Arguments) => T) => {
    return (...input: Arguments) => {
      if (state.error) throw state.error
      return operation(...input)
    }
  }
  return {
    ...memory,
    options: state,
    getItem: guarded(memory.getItem),
    setItem: guarded(memory.setItem ?? (() => {})),
    removeItem: guarded(memory.removeItem ?? (() => {})),
  }
})

function place(driver: Driver, key?: string) {
  const storage = createStorage({ driver })
  return {
    driver,
    storage,
    open: () => unstorageStorage(storage, key === undefined ? {} : { key }),
    put: (value: unknown) => storage.setItem(key ?? 'authchart', value as object),
  }
}

const GARBAGE = {
  'half of a record': ({ storage }: ReturnType<typeof place>) =>
    storage.setItemRaw('authchart', JSON.stringify(FULL).slice(0, 80)),
  'text that is not JSON': ({ storage }: ReturnType<typeof place>) =>
    storage.setItemRaw('authchart', 'SECRET'),
  'empty text': ({ storage }: ReturnType<typeof place>) => storage.setItemRaw('authchart', ''),
}

storageContract('unstorageStorage over memory', () => place(failing({})), {
  reports: 'all',
  garbage: GARBAGE,
  faults: {
    'an unreachable server': {
      begin: ({ driver }) => {
        driver.options.error = new RangeError('connect ECONNREFUSED')
      },
      end: ({ driver }) => {
        delete driver.options.error
      },
      kind: /^RangeError$/,
    },
  },
})

function folder() {
  const path = mkdtempSync(join(tmpdir(), 'authchart-unstorage-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

storageContract('unstorageStorage over files (fs)', () => place(fsDriver({ base: folder() })), {
  garbage: GARBAGE,
})
storageContract('unstorageStorage over files (fs-lite)', () => place(fsLiteDriver({ base: folder() })), {
  reports: 'all',
  garbage: GARBAGE,
})
storageContract('unstorageStorage under another key', () => place(memoryDriver(), 'users/7/session'), {
  reports: 'all',
})

/** A storage whose `watch` resolves when the test calls `answer`. */
function slowToWatch() {
  const storage = createStorage()
  const unwatch = vi.fn()
  let answer = () => {}
  const watched = new Promise<() => void>((resolve) => {
    answer = () => resolve(unwatch)
  })
  let notify: (event: 'update' | 'remove', key: string) => void = () => {}
  const like: UnstorageLike = {
    getItem: storage.getItem,
    setItem: storage.setItem,
    removeItem: storage.removeItem,
    watch(callback) {
      notify = callback
      return watched
    },
  }
  return { like, unwatch, answer: () => answer(), notify: (key: string) => notify('update', key), watched }
}

describe('unstorageStorage', () => {
  it("stores the record under the key, by default 'authchart', as plain JSON", async () => {
    const base = folder()
    const storage = createStorage({ driver: fsLiteDriver({ base }) })
    await unstorageStorage(storage).write(FULL)
    await unstorageStorage(storage, { key: 'users:7' }).write(LEAST)
    expect(await storage.getKeys()).toEqual(['authchart', 'users:7'])
    expect(JSON.parse(readFileSync(join(base, 'authchart'), 'utf8'))).toEqual(FULL)
    await unstorageStorage(storage).clear()
    expect(await storage.getKeys()).toEqual(['users:7'])
  })

  it('reads a record that the driver returns as an object or as text', async () => {
    const values = [FULL, JSON.stringify(FULL)]
    for (const value of values) {
      const storage = { ...createStorage(), getItem: async () => value }
      expect(await unstorageStorage(storage as UnstorageLike).read()).toEqual(FULL)
    }
  })

  it('clears only after an earlier write has completed', async () => {
    const storage = createStorage()
    let land = () => {}
    const setItem = vi.fn(async (key: string, value: object) => {
      await new Promise<void>((resolve) => {
        land = resolve
      })
      await storage.setItem(key, value)
    })
    const store = unstorageStorage({ ...storage, setItem } as UnstorageLike)
    const written = store.write(FULL)
    const cleared = store.clear()
    await expect.poll(() => setItem.mock.calls.length).toBe(1)
    land()
    await Promise.all([written, cleared])
    expect(await storage.getKeys()).toEqual([])
  })

  it.each(['fs', 'fs-lite'])(
    'reads a record that another process wrote, with the driver %s',
    async (name) => {
      const base = folder()
      const driver = name === 'fs' ? fsDriver({ base }) : fsLiteDriver({ base })
      writeFileSync(join(base, 'authchart'), JSON.stringify(FULL))
      expect(await unstorageStorage(createStorage({ driver })).read()).toEqual(FULL)
    },
  )
})

describe('unstorageStorage.subscribe', () => {
  it('reports changes of its own key in each notation, and of no other key', () => {
    const { like, notify } = slowToWatch()
    const onChange = vi.fn()
    unstorageStorage(like, { key: '/users/7' }).subscribe?.(onChange)
    for (const key of ['users:7', 'users/7', 'app:users:7']) notify(key)
    expect(onChange).toHaveBeenCalledTimes(3)
    for (const key of ['users:77', 'users', '7', 'users:7:x', 'otherusers:7', '']) notify(key)
    expect(onChange).toHaveBeenCalledTimes(3)
  })

  it('reports changes of its key in a storage with a prefix', async () => {
    const storage = createStorage()
    const onChange = vi.fn()
    const prefixed = unstorageStorage(prefixStorage(storage, 'app'))
    prefixed.subscribe?.(onChange)
    await prefixed.read()
    await storage.setItem('app:authchart', { ...FULL })
    expect(onChange).toHaveBeenCalledOnce()
  })

  it('reports nothing after it is unsubscribed, even if watching has not started yet', async () => {
    const { like, notify, unwatch, answer, watched } = slowToWatch()
    const stop = unstorageStorage(like).subscribe?.(() => expect.unreachable())
    stop?.()
    notify('authchart')
    expect(unwatch).not.toHaveBeenCalled()
    answer()
    await watched
    expect(unwatch).toHaveBeenCalledOnce()
  })

  it('works without change events if the driver cannot watch', async () => {
    const { like } = slowToWatch()
    // Not a mock, because a mock would handle the rejection itself.
    const store = unstorageStorage({ ...like, watch: () => Promise.reject(new Error('too many open files')) })
    const stop = store.subscribe?.(() => expect.unreachable())
    // Gives Node time to notice an unhandled rejection.
    await new Promise((resolve) => setImmediate(resolve))
    expect(() => stop?.()).not.toThrow()
    await store.write(FULL)

    const { watch: _, ...withoutWatch } = like
    expect(() => unstorageStorage(withoutWatch).subscribe?.(() => {})()).not.toThrow()
  })

  it('reports a file that another process writes, with the driver fs', async () => {
    const base = folder()
    const driver = fsDriver({ base })
    const storage = createStorage({ driver })
    const onChange = vi.fn()
    const stop = unstorageStorage(storage).subscribe?.(onChange)
    // It watches a little later, and overlooks what was written before.
    const write = () => {
      writeFileSync(join(base, 'authchart'), JSON.stringify(FULL))
      return onChange.mock.calls.length
    }
    await expect.poll(write, { timeout: 15_000 }).toBeGreaterThan(0)
    stop?.()
    await storage.dispose()
  })

  it('reports its own writes without causing an endless loop', async () => {
    const storage = createStorage()
    const getItem = vi.spyOn(storage, 'getItem')
    const setItem = vi.spyOn(storage, 'setItem')
    const auth = createAuth({
      storage: unstorageStorage(storage),
      refresh: () => ({ access_token: 'b', refresh_token: 'r' }),
    })
    onTestFinished(auth.dispose)
    await auth.setTokens({ access_token: 'a', refresh_token: 'r' })
    await auth.refresh()
    await expect.poll(() => storage.getItem('authchart')).toMatchObject({ accessToken: 'b' })
    // Enough turns for a loop to show itself.
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    getItem.mockClear()
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(getItem).not.toHaveBeenCalled()
    expect(setItem).toHaveBeenCalledTimes(2)
    expect(auth.session).toMatchObject({ generation: 2 })
  })

  it('passes the refreshed tokens of another server to the session', async () => {
    const storage = createStorage()
    const auth = createAuth({
      storage: unstorageStorage(storage),
      refresh: () => ({ access_token: 'b' }),
    })
    onTestFinished(auth.dispose)
    await auth.setTokens({ access_token: 'a', refresh_token: 'r' })
    const record = (await storage.getItem<typeof FULL>('authchart')) ?? FULL
    const refreshed = new Promise((resolve) => auth.on('refreshed', resolve))
    await storage.setItem('authchart', { ...record, rotation: record.rotation + 1, accessToken: 'theirs' })
    await refreshed
    expect(await auth.getAccessToken()).toBe('theirs')
  })
})
