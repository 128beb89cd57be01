// Checked by `tsc` and never run. The test is that this file compiles.
import { createStorage, prefixStorage, type Storage } from 'unstorage'
import { expectTypeOf } from 'vitest'
import { fileCoordinator, fileStorage } from '../../src/file.ts'
import {
  type AuthOptions,
  createAuth,
  defineStorage,
  type SessionStorage,
  type StorageFeature,
} from '../../src/index.ts'
import {
  encryptedStorage,
  memoryStorage,
  type SessionRecord,
  type UnstorageLike,
  unstorageStorage,
  webStorage,
} from '../../src/storage/index.ts'

const refresh = () => ({ access_token: 'a' })

// The types of unstorage fit without a cast, for each type of value.
expectTypeOf<Storage>().toExtend<UnstorageLike>()
expectTypeOf<Storage<SessionRecord>>().toExtend<UnstorageLike>()
expectTypeOf<Storage<object>>().toExtend<UnstorageLike>()
unstorageStorage(createStorage())
unstorageStorage(prefixStorage(createStorage(), 'app'), { key: 'user' })

// Every store of the library is a value for the option `storage`.
expectTypeOf(encryptedStorage).returns.toEqualTypeOf<StorageFeature>()
expectTypeOf(fileStorage).returns.toEqualTypeOf<StorageFeature>()
expectTypeOf(memoryStorage).returns.toEqualTypeOf<StorageFeature>()
expectTypeOf(unstorageStorage).returns.toEqualTypeOf<StorageFeature>()
expectTypeOf(webStorage).returns.toEqualTypeOf<StorageFeature>()
createAuth({ refresh, storage: encryptedStorage({ name: 'app' }) })
createAuth({ refresh, storage: fileStorage('session.json'), coordinator: fileCoordinator('session.json') })
fileStorage(new URL('file:///tmp/session.json'))
fileCoordinator(new URL('file:///tmp/session.json'), { staleAfter: 1_000 })

// A plain object is not: it has to go through `defineStorage`, as may an instance of a class.
const plain = { read: () => undefined, write: () => {}, clear: () => {} }
expectTypeOf<SessionStorage>().not.toExtend<NonNullable<AuthOptions['storage']>>()
// @ts-expect-error: a plain object is not made by a function of the library.
createAuth({ refresh, storage: plain })
createAuth({ refresh, storage: defineStorage(plain) })
class MyStorage implements SessionStorage {
  read(): unknown {
    return undefined
  }
  write(_: SessionRecord) {}
  clear() {}
}
// @ts-expect-error: an instance of a class is not made by a function of the library.
createAuth({ refresh, storage: new MyStorage() })
createAuth({ refresh, storage: defineStorage(new MyStorage()) })

// A copy of a store with a method of its own is still a store.
createAuth({ refresh, storage: { ...webStorage(() => localStorage), write() {} } })
createAuth({ refresh, storage: { ...defineStorage(plain), read: async () => undefined } })
