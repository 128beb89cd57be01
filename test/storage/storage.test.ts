import { memoryStorage, webStorage } from '../../src/storage/index.ts'
import { storageContract } from './contract.ts'
import { fakeWebStorage } from './web-storage-fake.ts'

storageContract('memoryStorage', () => {
  const storage = memoryStorage()
  return { open: () => storage, put: (value) => storage.write(value as never) }
})

function webPlace(key = 'authchart') {
  const area = fakeWebStorage()
  const healthy = { ...area }
  const access = { denied: false }
  const get = () => {
    if (access.denied) throw new DOMException('The operation is insecure.', 'SecurityError')
    return area
  }
  return {
    area,
    healthy,
    access,
    open: () => webStorage(get, { key }),
    put: (value: unknown) => area.setItem(key, JSON.stringify(value)),
  }
}

storageContract('webStorage', webPlace, {
  garbage: {
    'half of a record': ({ area }) =>
      area.setItem('authchart', area.getItem('authchart')?.slice(0, 80) ?? ''),
    'empty text': ({ area }) => area.setItem('authchart', ''),
    'text that is not JSON': ({ area }) => area.setItem('authchart', 'SECRET'),
  },
  faults: {
    'no space left': {
      begin: ({ area }) => {
        area.setItem = () => {
          throw new DOMException('full', 'QuotaExceededError')
        }
      },
      end: ({ area, healthy }) => {
        area.setItem = healthy.setItem
      },
      kind: /^QuotaExceededError$/,
      spares: ['read', 'clear'],
    },
    'a browser that blocks storage': {
      begin: ({ access }) => {
        access.denied = true
      },
      end: ({ access }) => {
        access.denied = false
      },
      kind: /^SecurityError$/,
    },
  },
})

storageContract('webStorage with a storage object and another key', () => {
  const place = webPlace('my app')
  return { ...place, open: () => webStorage(place.area, { key: 'my app' }) }
})
