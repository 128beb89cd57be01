import { describe, expect, it } from 'vitest'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import { createHarness, type HarnessOptions, refused, SECRET, tokens, watch } from './auth-setup.ts'

/** `timeouts.refresh` in these tests, in milliseconds. */
const TIMEOUT = 1_000

/** A session whose first call of `refresh` ignores its signal and has just been given up. */
async function givenUp(options: HarnessOptions = {}) {
  const made = createHarness({ timeouts: { refresh: TIMEOUT }, ...options })
  const refreshed = watch(made.auth.refresh())
  await made.clock.advance(TIMEOUT)
  expect(made.refresh.call(0).argument.signal.aborted).toBe(true)
  expect(made.emitted()).toEqual(['refreshFailed'])
  return { ...made, refreshed, first: made.refresh.call(0) }
}

describe.each<[string, () => HarnessOptions]>([
  ['without a store', () => ({})],
  ['with a store', () => ({ storage: memoryStorage() })],
])('after timeouts.refresh a session %s', (_, options) => {
  it('goes on with the late answer, and presents the refresh token once', async () => {
    const { auth, clock, refresh, first, refreshed, emitted } = await givenUp(options())
    await clock.advance(TIMEOUT - 1)
    first.resolve(tokens(2))
    await clock.advance(0)
    expect(refreshed).toMatchObject({ state: 'fulfilled', value: { generation: 2 } })
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-2`)
    expect(refresh.calls).toHaveLength(1)
    expect(emitted()).toEqual(['refreshFailed', 'refreshed'])
  })

  it('waits for another timeouts.refresh, cools down, and only then presents the refresh token again', async () => {
    const { auth, clock, refresh, refreshed, at } = await givenUp(options())
    await clock.advance(TIMEOUT - 1)
    expect([at('refreshing.attempt.requesting'), refresh.calls.length]).toEqual([true, 1])
    await clock.advance(1)
    expect([at('refreshing.attempt.coolingDown'), refresh.calls.length]).toEqual([true, 1])
    expect(refreshed.error).toMatchObject({ code: 'refresh_timeout' })
    const again = watch(auth.refresh())
    await clock.advance(0)
    expect(refresh.call(1).argument.refreshToken).toBe(`${SECRET}-rt-1`)
    refresh.call(1).resolve(tokens(2))
    await clock.advance(0)
    expect(again.state).toBe('fulfilled')
  })

  it('ends if the late answer rejects the refresh token, without presenting it again', async () => {
    const { auth, clock, refresh, first } = await givenUp(options())
    first.reject(refused())
    await clock.advance(0)
    expect([auth.state, refresh.calls.length]).toEqual(['authenticated', 1])
    expect(auth.session).toBeDefined()
    await clock.advance(600_000)
    expect([auth.state, refresh.calls.length]).toEqual(['expired', 1])
  })

  it('waits as long as a late answer asks', async () => {
    const { clock, refresh, first } = await givenUp(options())
    first.reject(new Response('', { status: 503, headers: { 'retry-after': '5' } }))
    await clock.advance(4_999)
    expect(refresh.calls).toHaveLength(1)
    await clock.advance(1)
    expect(refresh.calls).toHaveLength(2)
  })

  it('presents the refresh token at once if the late call fails without an answer', async () => {
    const { clock, refresh, first, refreshed, emitted } = await givenUp(options())
    first.reject(new DOMException('aborted', 'AbortError'))
    await clock.advance(0)
    refresh.call(1).resolve(tokens(2))
    await clock.advance(0)
    expect(refreshed.state).toBe('fulfilled')
    expect(emitted()).toEqual(['refreshFailed', 'refreshed'])
  })

  it('presents no refresh token that an earlier call has replaced while the last one was awaited', async () => {
    const { auth, clock, refresh, first } = await givenUp({ retry: { maxDelay: 1_000 }, ...options() })
    auth.refresh().catch(() => {})
    // Both calls have been given up and have cooled down, and an attempt waits for the answer to the second.
    while (refresh.calls.length < 2) await clock.advance(100)
    await clock.advance(2 * TIMEOUT + 500)
    expect(refresh.calls).toHaveLength(2)
    first.resolve(tokens(2))
    await clock.advance(0)
    refresh.call(1).reject(new TypeError('fetch failed'))
    await clock.advance(0)
    expect(refresh.calls.slice(2).map(({ argument }) => argument.refreshToken)).not.toContain(
      `${SECRET}-rt-1`,
    )
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-2`)
  })

  it('uses an answer that comes while the session cools down', async () => {
    const { auth, clock, refresh, first } = await givenUp(options())
    await clock.advance(TIMEOUT + 600)
    first.resolve(tokens(2))
    await clock.advance(0)
    expect(auth.state).toBe('authenticated')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-2`)
    expect(refresh.calls).toHaveLength(1)
  })

  it('does not wait for the answer of a session that has ended', async () => {
    const { auth, clock, refresh, signIn, first } = await givenUp(options())
    auth.signOut().catch(() => {})
    const signedIn = auth.signIn('bob')
    await clock.advance(0)
    signIn.call().resolve(tokens(8, { subject: 'bob' }))
    await signedIn
    const refreshed = watch(auth.refresh())
    await clock.advance(0)
    refresh.call(1).resolve(tokens(9, { subject: 'bob' }))
    first.resolve(tokens(2))
    await clock.advance(0)
    expect(refreshed.state).toBe('fulfilled')
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-9`)
  })
})

describe('another session of the same store', () => {
  async function both() {
    const common = {
      clock: createVirtualClock(),
      storage: memoryStorage(),
      timeouts: { refresh: TIMEOUT, storage: 100 },
    }
    const first = createHarness(common)
    const second = createHarness({ ...common, signedOut: true })
    await common.clock.advance(0)
    return { first, second, clock: common.clock }
  }

  it.each<[string, (first: ReturnType<typeof createHarness>) => void]>([
    ['waits', () => {}],
    ['that was disposed', ({ auth }) => auth.dispose()],
  ])('presents no refresh token while the late answer may come to the one %s', async (_, then) => {
    const { first, second, clock } = await both()
    for (const { auth } of [first, second]) auth.refresh().catch(() => {})
    await clock.advance(0)
    then(first)
    await clock.advance(2 * TIMEOUT - 1)
    expect([first.refresh.calls.length, second.refresh.calls.length]).toEqual([1, 0])
    first.refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(await second.auth.getAccessToken()).toBe(`${SECRET}-at-2`)
    expect([first.refresh.calls.length, second.refresh.calls.length]).toEqual([1, 0])
  })

  it('takes its turn after another timeouts.refresh without an answer', async () => {
    const { first, second, clock } = await both()
    for (const { auth } of [first, second]) auth.refresh().catch(() => {})
    await clock.advance(2 * TIMEOUT)
    expect([first.refresh.calls.length, second.refresh.calls.length]).toEqual([1, 1])
  })

  it('takes its turn at once when the late call fails without an answer and the next one is answered', async () => {
    const { first, second, clock } = await both()
    for (const { auth } of [first, second]) auth.refresh().catch(() => {})
    await clock.advance(TIMEOUT + 500)
    first.refresh.call(0).reject(new DOMException('aborted', 'AbortError'))
    await clock.advance(0)
    expect([first.refresh.calls.length, second.refresh.calls.length]).toEqual([2, 0])
    first.refresh.call(1).resolve(tokens(2))
    await clock.advance(0)
    expect(await second.auth.getAccessToken()).toBe(`${SECRET}-at-2`)
    expect(second.refresh.calls).toHaveLength(0)
  })
})

describe('an answer that comes after the user has signed in again', () => {
  /** A session of Ada whose refresh is not answered yet. */
  async function refreshing() {
    const revoked: unknown[] = []
    const harness = createHarness({
      initialTokens: tokens(1, { subject: 'ada' }),
      revoke: (given) => void revoked.push(given),
    })
    harness.auth.refresh().catch(() => {})
    await harness.clock.advance(0)
    return { ...harness, revoked }
  }

  it.each([
    [
      'dropped if the same user has signed in, because a server may end both sessions with it',
      'ada',
      'ada',
      0,
    ],
    ['dropped if it does not name its user', 'ada', undefined, 0],
    ['revoked if another user has signed in', 'eve', 'ada', 1],
  ])('is %s', async (_, second, answered, revocations) => {
    const { auth, clock, refresh, revoked, signIn } = await refreshing()
    const session = auth.signIn('again')
    await clock.advance(0)
    signIn.call().resolve(tokens(3, { subject: second }))
    await session
    refresh.call(0).resolve(tokens(2, answered === undefined ? {} : { subject: answered }))
    await clock.advance(0)
    expect(revoked).toHaveLength(revocations)
    expect(auth.session?.subject).toBe(second)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-3`)
  })

  it('is revoked if the user has signed out in between', async () => {
    const { auth, clock, refresh, revoked, signIn } = await refreshing()
    await auth.signOut()
    const session = auth.signIn('again')
    await clock.advance(0)
    signIn.call().resolve(tokens(3, { subject: 'ada' }))
    await session
    refresh.call(0).resolve(tokens(2, { subject: 'ada' }))
    await clock.advance(0)
    expect(revoked).toHaveLength(2)
  })
})
