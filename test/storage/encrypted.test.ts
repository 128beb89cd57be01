import { expect, it } from 'vitest'
import { encryptedStorage } from '../../src/storage/index.ts'
import { FULL } from './contract.ts'

// Its behaviour in a browser is tested in test/browser/encrypted-storage.test.ts.
it('encryptedStorage rejects without IndexedDB, and opens no channel that would keep a server alive', async () => {
  const storage = encryptedStorage()
  const unsupported = { code: 'storage_failed', reason: 'unsupported' }
  await expect(storage.read()).rejects.toMatchObject(unsupported)
  await expect(storage.write(FULL)).rejects.toMatchObject(unsupported)
  await expect(storage.clear()).rejects.toMatchObject(unsupported)
  const before = process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length
  const stop = storage.subscribe?.(() => expect.unreachable())
  expect(process.getActiveResourcesInfo().filter((name) => name === 'MessagePort')).toHaveLength(before)
  stop?.()
})
