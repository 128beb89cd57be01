import { describe, expect, test } from 'vitest'
import type { SessionRecord, SessionStorage } from '../../src/index.ts'
import { memoryStorage } from '../../src/storage/index.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import { isTokenRequest, nextEvent, setUp, times } from './harness.ts'
import { transports } from './transports.ts'

const generations = (answers: readonly { json: unknown }[]) =>
  answers.map(({ json }) => (json as { generation: number }).generation)

/** A store with the session of the given one, its record changed. */
const storeWith = async (
  storage: SessionStorage,
  change: Partial<SessionRecord>,
): Promise<SessionStorage> => {
  const changed = memoryStorage()
  await changed.write({ ...((await storage.read()) as SessionRecord), ...change })
  return changed
}

describe.each(transports)('$name: tokens are renewed by the clock', ({ create }) => {
  test('early renewals go unnoticed by a stream of requests', async () => {
    const clock = createVirtualClock()
    const { server, url, signedIn, apiLog, emitted } = await setUp({
      accessTokenLifetime: 60_000,
      now: () => clock.now(),
    })
    // The server's time is real: a busy machine must not let the virtual clock outrun it.
    const timeouts = { refresh: Number.POSITIVE_INFINITY }
    const client = create(await signedIn({ clock, timeouts, refreshAhead: 15_000 }), { origin: url })
    server.tokenDelay = 20
    const statuses: number[] = []

    while (emitted('refreshed').length < 3) {
      const [one, two] = await Promise.all([client.get('/api/one'), client.get('/api/slow?ms=5')])
      statuses.push(one.status, two.status)
      await clock.advance(5000)
    }

    expect(new Set(statuses)).toEqual(new Set([200]))
    expect([server.expiredTokenUses, server.refreshes, server.tokenRequests]).toEqual([0, 3, 3])
    expect(emitted('requestHeld')).toEqual([])
    expect(emitted('requestReplayed')).toEqual([])
    expect(new Set(apiLog().map(({ generation }) => generation))).toEqual(new Set([1, 2, 3]))
  })

  test('initial tokens that are known to be dead are renewed before anything is sent', async () => {
    const { server, url, createAuth, apiLog } = await setUp()
    const auth = createAuth({ initialTokens: { ...server.issue(), expires_in: 0 } })
    const client = create(auth, { origin: url })

    const answers = await Promise.all(times(10, () => client.get('/api/x')))

    expect(generations(answers)).toEqual(Array(10).fill(2))
    expect(apiLog().map(({ generation }) => generation)).toEqual(Array(10).fill(2))
    expect([server.log[0]?.path, server.tokenRequests]).toEqual(['/token', 1])
  })

  test('a restored token that is known to be dead is renewed before anything is sent', async () => {
    const { server, url, signedIn, createAuth, apiLog } = await setUp()
    const yesterday = memoryStorage()
    const earlier = await signedIn({ storage: yesterday })
    earlier.dispose()
    const storage = await storeWith(yesterday, { expiresAt: Date.now() - 1 })
    const client = create(createAuth({ storage }), { origin: url })

    const answers = await Promise.all(times(10, () => client.get('/api/x')))

    expect(generations(answers)).toEqual(Array(10).fill(2))
    expect(apiLog().map(({ generation }) => generation)).toEqual(Array(10).fill(2))
    expect([server.log[0]?.path, server.tokenRequests]).toEqual(['/token', 1])
    expect(await storage.read()).toMatchObject({ rotation: 1, subject: 'ada' })
  })

  test('a restored token that works is used, and requests begun while the store is read wait for it', async () => {
    const { server, url, signedIn, createAuth, apiLog } = await setUp()
    const storage = memoryStorage()
    const earlier = await signedIn({ storage })
    earlier.dispose()
    let answer = () => {}
    const slow = new Promise<void>((resolve) => {
      answer = resolve
    })
    const auth = createAuth({ storage: { ...storage, read: () => slow.then(() => storage.read()) } })
    const client = create(auth, { origin: url })
    const held = nextEvent(auth, 'requestHeld')
    const answers = times(5, () => client.get('/api/x'))
    await held
    expect([auth.state, server.log.length]).toEqual(['restoring', 0])

    answer()

    expect(generations(await Promise.all(answers))).toEqual(Array(5).fill(1))
    expect([server.tokenRequests, apiLog().length]).toEqual([0, 5])
  })
})

describe.each(transports)('$name: the server kills the old token as it gives the new one', ({ create }) => {
  /** A session whose early renewal is due at once, while its token still works. */
  const due = async () => {
    const bench = await setUp({ previousAccessTokenDies: true })
    const storage = memoryStorage()
    const earlier = await bench.signedIn({ storage })
    earlier.dispose()
    const now = Date.now()
    const aged = await storeWith(storage, { receivedAt: now - 300_000, expiresAt: now + 30_000 })
    return { ...bench, aged }
  }

  test('requests in flight when the new token arrives succeed', async () => {
    const { server, url, createAuth, aged, apiLog, emitted } = await due()
    server.delayNext(100)
    const asked = server.whenRequest(isTokenRequest)
    const auth = createAuth({ storage: aged })
    const client = create(auth, { origin: url })
    await asked
    expect(auth.state).toBe('refreshing')

    const answers = await Promise.all(times(10, () => client.get('/api/slow?ms=250&check=late')))

    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
    expect([server.refreshes, server.tokenRequests]).toEqual([1, 1])
    expect(apiLog().map(({ generation }) => generation)).toEqual([...Array(10).fill(1), ...Array(10).fill(2)])
    expect(emitted('requestHeld')).toEqual([])
  })

  test('requests refused before the new token arrives wait for it', async () => {
    const { server, url, createAuth, aged, apiLog, emitted } = await due()
    server.delayAnswerNext(150)
    const asked = server.whenRequest(isTokenRequest)
    const auth = createAuth({ storage: aged })
    const client = create(auth, { origin: url })
    await asked

    const answers = await Promise.all(times(10, () => client.get('/api/x')))

    expect(answers.map(({ status }) => status)).toEqual(Array(10).fill(200))
    expect([server.refreshes, server.tokenRequests]).toEqual([1, 1])
    expect(apiLog().filter(({ status }) => status === 401)).toHaveLength(10)
    expect(emitted('requestHeld').reduce((sum, { count }) => sum + count, 0)).toBe(10)
  })
})
