// Checked by `tsc`, never run: what compiles here, and what does not, is the test.
import { createStorage, prefixStorage, type Storage } from 'unstorage'
import { expectTypeOf } from 'vitest'
import { createAuth, type SessionStorage } from '../../src/index.ts'
import {
  encryptedStorage,
  fileCoordinator,
  fileStorage,
  type SessionRecord,
  type UnstorageLike,
  unstorageStorage,
} from '../../src/storage/index.ts'

const refresh = () => ({ access_token: 'a' })

// unstorage's own types fit without a cast, whatever the storage was made for.
expectTypeOf<Storage>().toExtend<UnstorageLike>()
expectTypeOf<Storage<SessionRecord>>().toExtend<UnstorageLike>()
expectTypeOf<Storage<object>>().toExtend<UnstorageLike>()
unstorageStorage(createStorage())
unstorageStorage(prefixStorage(createStorage(), 'app'), { key: 'user' })

expectTypeOf(unstorageStorage).returns.toEqualTypeOf<SessionStorage>()
expectTypeOf(encryptedStorage).returns.toEqualTypeOf<SessionStorage>()
createAuth({ refresh, storage: encryptedStorage({ name: 'app' }) })
createAuth({ refresh, storage: fileStorage('session.json'), coordinator: fileCoordinator('session.json') })
fileStorage(new URL('file:///tmp/session.json'))
fileCoordinator(new URL('file:///tmp/session.json'), { staleAfter: 1_000 })
