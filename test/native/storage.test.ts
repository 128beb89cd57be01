import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { clearAllMockStorages, createAsyncStorage } from '@react-native-async-storage/async-storage/jest'
import { build } from 'esbuild'
import type * as ExpoSecureStore from 'expo-secure-store'
import { afterAll, beforeAll, describe, expect, expectTypeOf, it } from 'vitest'
import { type AsyncStorageLike, asyncStorage, secureStorage } from '../../src/react-native.ts'
import { FULL, LEAST, storageContract } from '../storage/contract.ts'

type SecureStore = typeof ExpoSecureStore

/** The native side of `expo-secure-store`: a store of short texts. */
interface Device {
  readonly values: Map<string, string>
  /** Throws at each call. */
  error: Error | undefined
  /** The app is closed after so many more writes and removals. */
  writesLeft: number
}

const devices = globalThis as { secureStoreDevice?: Device }
const newDevice = (): Device => ({
  values: new Map(),
  error: undefined,
  writesLeft: Number.POSITIVE_INFINITY,
})

/** Takes the place of `expo-modules-core`, which connects `expo-secure-store` to the device. */
const NATIVE_SIDE = `
const device = () => {
  const { secureStoreDevice } = globalThis
  if (secureStoreDevice.error) throw secureStoreDevice.error
  return secureStoreDevice
}
const change = (work) => {
  const { values, writesLeft } = device()
  if (writesLeft <= 0) throw new Error('The app was closed.')
  globalThis.secureStoreDevice.writesLeft--
  work(values)
}
const native = {
  getValueWithKeyAsync: async (key) => device().values.get(key) ?? null,
  setValueWithKeyAsync: async (value, key) => change((values) => {
    if (new TextEncoder().encode(value).length > 2048) throw new RangeError('The value is too long.')
    values.set(key, value)
  }),
  deleteValueWithKeyAsync: async (key) => change((values) => values.delete(key)),
}
export const requireNativeModule = () => native
`

let folder: string
let secureStore: SecureStore
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'authchart-secure-store-'))
  const outfile = join(folder, 'secure-store.mjs')
  await build({
    entryPoints: ['expo-secure-store'],
    absWorkingDir: import.meta.dirname,
    bundle: true,
    format: 'esm',
    outfile,
    plugins: [
      {
        name: 'native side',
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^expo-modules-core$/ }, ({ path }) => ({ path, namespace: 'native' }))
          onLoad({ filter: /.*/, namespace: 'native' }, () => ({ contents: NATIVE_SIDE }))
        },
      },
    ],
  })
  secureStore = await import(/* @vite-ignore */ pathToFileURL(outfile).href)
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

expectTypeOf<ReturnType<typeof createAsyncStorage>>().toExtend<AsyncStorageLike>()

function asyncPlace(key?: string) {
  clearAllMockStorages()
  const storage = createAsyncStorage('app')
  const state: { error?: Error } = {}
  const guarded = <Arguments extends unknown[], T>(operation: (...input: Arguments) => Promise<T>) => {
    return async (...input: Arguments) => {
      if (state.error) throw state.error
      return operation(...input)
    }
  }
  const given = {
    getItem: guarded(storage.getItem),
    setItem: guarded(storage.setItem),
    removeItem: guarded(storage.removeItem),
  }
  return {
    state,
    storage,
    open: () => asyncStorage(given, key === undefined ? {} : { key }),
    put: (value: unknown) => storage.setItem(key ?? 'authchart', JSON.stringify(value)),
  }
}

storageContract('asyncStorage', asyncPlace, {
  garbage: {
    'half of a record': ({ storage }) => storage.setItem('authchart', JSON.stringify(FULL).slice(0, 80)),
    'empty text': ({ storage }) => storage.setItem('authchart', ''),
    'text that is not JSON': ({ storage }) => storage.setItem('authchart', 'SECRET'),
  },
  faults: {
    'a full disk': {
      begin: ({ state }) => {
        state.error = new RangeError('database or disk is full')
      },
      end: ({ state }) => {
        delete state.error
      },
      kind: /^RangeError$/,
    },
  },
})
storageContract('asyncStorage under another key', () => asyncPlace('@app:session'))

function securePlace(key?: string) {
  const device = newDevice()
  devices.secureStoreDevice = device
  return {
    device,
    open: () => secureStorage(secureStore, key === undefined ? {} : { key }),
    put: (value: unknown) => device.values.set(key ?? 'authchart', JSON.stringify(value)),
  }
}

storageContract('secureStorage', securePlace, {
  garbage: {
    'half of a record': ({ device }) => device.values.set('authchart', JSON.stringify(FULL).slice(0, 80)),
    'empty text': ({ device }) => device.values.set('authchart', ''),
    'text that is not JSON': ({ device }) => device.values.set('authchart', 'SECRET'),
    'parts that are missing': ({ device }) => device.values.set('authchart', '#a7'),
  },
  faults: {
    'a locked keychain': {
      begin: ({ device }) => {
        device.error = new RangeError('User interaction is not allowed.')
      },
      end: ({ device }) => {
        device.error = undefined
      },
      kind: /^RangeError$/,
    },
  },
})
storageContract('secureStorage under another key', () => securePlace('my_app.session-1'))

const long = (id: string, length: number) => ({ ...FULL, id, idToken: `${id}${'ü'.repeat(length)}` })

describe('secureStorage with records that are longer than a value', () => {
  it('keeps the previous record, whenever the app is closed during a write', async () => {
    for (const [before, after] of [
      [long('one', 1_000), long('two', 2_000)],
      [long('one', 2_000), long('two', 400)],
      [LEAST, long('two', 1_000)],
      [long('one', 1_000), LEAST],
    ] as const) {
      let seen = ''
      for (let writes = 0; seen !== 'all'; writes++) {
        const { device, open } = securePlace()
        await open().write(before)
        device.writesLeft = writes
        const finished = await Promise.resolve(open().write(after)).then(
          () => true,
          () => false,
        )
        device.writesLeft = Number.POSITIVE_INFINITY
        expect([before, after]).toContainEqual(await open().read())
        await open().clear()
        expect([...device.values]).toEqual([])
        if (finished) seen = 'all'
      }
    }
  })

  it('leaves no part of an earlier record behind, although a write or a removal was interrupted', async () => {
    for (let writes = 0; writes < 12; writes++) {
      const { device, open } = securePlace()
      await open().write(long('one', 2_000))
      device.writesLeft = writes
      await Promise.resolve(open().clear()).catch(() => {})
      device.writesLeft = Number.POSITIVE_INFINITY
      await open().write(LEAST)
      expect([...device.values.keys()]).toEqual(['authchart'])
    }
  })

  it('gives the options of each call to the store', async () => {
    const seen: unknown[] = []
    const access = { keychainAccessible: 1 }
    const storage = secureStorage<ExpoSecureStore.SecureStoreOptions>(
      {
        getItemAsync: async (_, options) => {
          seen.push(options)
          return null
        },
        setItemAsync: async (_, __, options) => void seen.push(options),
        deleteItemAsync: async (_, options) => void seen.push(options),
      },
      { access },
    )
    await storage.write(LEAST)
    await storage.clear()
    expect(seen.length).toBeGreaterThan(4)
    expect(seen.every((options) => options === access)).toBe(true)
  })

  it.each(['', 'my app', 'users/1', '@app'])('rejects the key %j, which the store does not take', (key) => {
    expect(() => secureStorage(secureStore, { key })).toThrow(TypeError)
  })
})
