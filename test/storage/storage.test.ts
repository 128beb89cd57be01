import { memoryStorage, webStorage } from '../../src/storage/index.ts'
import { storageContract } from './contract.ts'
import { fakeWebStorage } from './web-storage-fake.ts'

storageContract('memoryStorage', memoryStorage)
storageContract('webStorage', () => webStorage(fakeWebStorage()))
storageContract('webStorage of a function, under another key', () => {
  const area = fakeWebStorage()
  return webStorage(() => area, { key: 'my app' })
})
