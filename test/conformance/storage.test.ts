import { describe, expect, test } from 'vitest'
import {
  defineStorage,
  SessionExpiredError,
  type SessionStorage,
  type StorageFeature,
} from '../../src/index.ts'
import { memoryStorage, webStorage } from '../../src/storage/index.ts'
import { mapStorage, outcomes, setUp, times } from './harness.ts'
import { transports } from './transports.ts'

const fails = (): never => {
  throw new Error('QuotaExceededError: at-1-secret')
}
const hangs = () => new Promise<never>(() => {})
const rejects = async (): Promise<never> => fails()
const works: SessionStorage = { read: () => undefined, write: () => {}, clear: () => {} }

const broken: readonly { what: string; storage: () => SessionStorage }[] = [
  { what: 'throws when read', storage: () => ({ ...works, read: fails }) },
  { what: 'throws when written', storage: () => ({ ...works, write: fails }) },
  { what: 'throws when cleared', storage: () => ({ ...works, clear: fails }) },
  { what: 'always throws', storage: () => ({ read: fails, write: fails, clear: fails, subscribe: fails }) },
  { what: 'always rejects', storage: () => ({ read: rejects, write: rejects, clear: rejects }) },
  { what: 'hangs when read', storage: () => ({ ...works, read: hangs }) },
  { what: 'hangs when written', storage: () => ({ ...works, write: hangs }) },
  { what: 'hangs when cleared', storage: () => ({ ...works, clear: hangs }) },
  { what: 'always hangs', storage: () => ({ read: hangs, write: hangs, clear: hangs }) },
  {
    what: 'throws on access',
    storage: () =>
      webStorage(() => {
        throw new DOMException('The operation is insecure.', 'SecurityError')
      }),
  },
]

const garbage: readonly { what: string; value: unknown }[] = [
  { what: 'a string', value: 'at-1' },
  { what: 'a number', value: 42 },
  { what: 'an array', value: [1, 2] },
  { what: 'an empty object', value: {} },
  { what: 'a record of another version', value: { version: 99, id: 'x', accessToken: 'at-1' } },
  {
    what: 'a record whose token is not a string',
    value: { version: 1, id: 'x', rotation: 0, startedAt: 0, receivedAt: 0, accessToken: {} },
  },
  {
    what: 'a record whose token is not a valid header value',
    value: { version: 1, id: 'x', rotation: 0, startedAt: 0, receivedAt: 0, accessToken: 'at\r\nx: y' },
  },
]

const stores: readonly { store: string; make: () => StorageFeature }[] = [
  { store: 'memoryStorage', make: memoryStorage },
  { store: 'webStorage', make: () => webStorage(mapStorage()) },
]

describe.each(transports)('$name: the end of a session', ({ create }) => {
  test.each(stores)(
    'invalid_grant rejects all waiting and later requests and clears the store ($store)',
    async ({ make }) => {
      const { server, url, signedIn, emitted } = await setUp()
      const storage = make()
      const auth = await signedIn({ storage })
      expect(await storage.read()).toMatchObject({ version: 1, subject: 'ada' })
      const client = create(auth, { origin: url })
      server.expireAccessTokens()
      server.killRefreshTokens()
      server.tokenDelay = 20

      for (const error of await outcomes(times(50, () => client.get('/api/x')))) {
        expect(error).toBeInstanceOf(SessionExpiredError)
        expect(error).toMatchObject({ code: 'session_expired', reason: 'invalid_grant' })
      }

      expect(emitted('expired')).toMatchObject([{ reason: 'invalid_grant' }])
      expect(auth.state).toBe('expired')
      expect(auth.session).toBeUndefined()
      expect(await storage.read()).toBeUndefined()
      expect(server.tokenRequests).toBe(1)

      const before = server.log.length
      for (const error of await outcomes([client.get('/api/x'), client.post('/api/x', { a: 1 })])) {
        expect(error).toBeInstanceOf(SessionExpiredError)
      }
      expect(server.log).toHaveLength(before)
      expect(emitted('expired')).toHaveLength(1)
    },
  )
})

describe.each(transports)('$name: a broken store', ({ create }) => {
  test.each(broken)('a store that $what fails no request and emits storageFailed', async ({ storage }) => {
    const { server, url, createAuth, emitted, events } = await setUp()
    const auth = createAuth({ storage: defineStorage(storage()), timeouts: { storage: 20 } })
    await auth.ready()
    expect(auth.state).toBe('anonymous')
    await auth.signIn({ username: 'ada' })
    const client = create(auth, { origin: url })

    expect(await client.get('/api/x')).toMatchObject({ status: 200, json: { generation: 1 } })
    server.expireAccessTokens()
    const answers = await Promise.all(times(10, () => client.get('/api/x')))
    await auth.signOut()

    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
    expect([server.refreshes, auth.state]).toEqual([1, 'loggedOut'])
    expect(emitted('storageFailed').length).toBeGreaterThan(0)
    expect(JSON.stringify(events)).not.toMatch(/at-\d/)
  })

  test.each(broken)('a session expires with a store that $what', async ({ storage }) => {
    const { server, url, createAuth, emitted } = await setUp()
    const auth = createAuth({ storage: defineStorage(storage()), timeouts: { storage: 20 } })
    await auth.signIn({ username: 'ada' })
    const client = create(auth, { origin: url })
    server.expireAccessTokens()
    server.killRefreshTokens()

    await outcomes(times(5, () => client.get('/api/x')))

    expect(auth.state).toBe('expired')
    expect(emitted('expired')).toMatchObject([{ reason: 'invalid_grant' }])
  })

  test.each(garbage)('$what in the store counts as an empty store', async ({ value }) => {
    const { server, url, createAuth, emitted, apiLog } = await setUp()
    let stored: unknown = value
    const storage: SessionStorage = {
      read: () => stored,
      write: (record) => {
        stored = record
      },
      clear: () => {
        stored = undefined
      },
    }
    const auth = createAuth({ storage: defineStorage(storage) })
    const client = create(auth, { origin: url })

    expect(await client.get('/api/x')).toMatchObject({ status: 401 })
    expect(apiLog().map(({ authorization }) => authorization)).toEqual([undefined])
    expect(emitted('storageFailed')).toMatchObject([{ reason: 'invalid_record' }])

    await auth.signIn({ username: 'ada' })
    server.expireAccessTokens()
    expect(await client.get('/api/x')).toMatchObject({ status: 200 })
    expect(stored).toMatchObject({ version: 1, rotation: 1 })
    expect(emitted('storageFailed')).toHaveLength(1)
  })

  test('a store whose text is not JSON counts as an empty store', async () => {
    const { url, createAuth } = await setUp()
    const area = mapStorage()
    area.setItem('authchart', '{"version":1,"accessToken":"at-cut')
    const auth = createAuth({ storage: webStorage(area) })
    await auth.ready()

    expect(auth.state).toBe('anonymous')
    expect(auth.history.filter(({ type }) => type === 'storageFailed')).toMatchObject([
      { reason: 'invalid_record' },
    ])
    await auth.signIn({ username: 'ada' })
    expect(await create(auth, { origin: url }).get('/api/x')).toMatchObject({ status: 200 })
  })
})
