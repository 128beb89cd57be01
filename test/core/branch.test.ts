import { describe, expect, it } from 'vitest'
import { type BranchOptions, createBranchWith } from '../../src/core/create-branch.ts'
import { defineProof } from '../../src/core/features/proof.ts'
import type { RevocableTokens } from '../../src/core/options.ts'
import type { SessionRecord, Turn } from '../../src/core/ports.ts'
import { bearerRequest } from '../../src/core/requests/bearer-request.ts'
import { systemClock } from '../../src/environment/clock.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createHarness, type HarnessOptions, LIFETIME, refused, SECRET, tokens, watch } from './auth-setup.ts'

const TIMEOUT = 1_000
const PAYMENTS = { resource: 'https://payments.example.com' }
const USER = { subject: 'ada' }

/** A session with a branch. The test answers for the token endpoint. */
function branched(options: HarnessOptions = {}) {
  const made = createHarness({ timeouts: { refresh: TIMEOUT, lock: 60_000 }, ...options })
  const createBranch = (target: BranchOptions) => createBranchWith(made.auth, target, made.clock)
  return { ...made, branch: createBranch(PAYMENTS), createBranch, answerFor: answerFor(made) }
}

/** Answers the last call with tokens for a branch, and the n-th refresh token of the session. */
const answerFor =
  ({ refresh, clock }: Pick<ReturnType<typeof createHarness>, 'refresh' | 'clock'>) =>
  (n: number, more: object = {}) => {
    refresh.call().resolve(tokens(n, { access_token: `${SECRET}-branch-${n}`, ...more }))
    return clock.advance(0)
  }

const sentTokens = ({ refresh }: Pick<ReturnType<typeof createHarness>, 'refresh'>) =>
  refresh.calls.map(({ argument }) => argument.refreshToken?.replace(`${SECRET}-`, ''))

describe('a branch', () => {
  it('asks for its first token when it is first used, and leaves the refresh token to the session', async () => {
    const { auth, branch, clock, refresh, answerFor } = branched({ storage: memoryStorage() })
    await clock.advance(LIFETIME / 10)
    expect([branch.state, refresh.calls.length]).toEqual(['authenticated', 0])

    const token = watch(branch.getAccessToken())
    await clock.advance(0)
    expect(refresh.call().argument).toMatchObject({
      refreshToken: `${SECRET}-rt-1`,
      branch: { parameters: [['resource', 'https://payments.example.com']] },
    })
    await answerFor(2)
    expect(token.value).toBe(`${SECRET}-branch-2`)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-1`)

    const refreshed = watch(auth.refresh())
    await clock.advance(0)
    expect(refresh.call().argument).toMatchObject({ refreshToken: `${SECRET}-rt-2` })
    expect(refresh.call().argument.branch).toBeUndefined()
    refresh.call().resolve(tokens(3))
    await clock.advance(0)
    expect(refreshed.state).toBe('fulfilled')
  })

  it('refreshes by itself only on demand', async () => {
    const { branch, clock, refresh, answerFor } = branched({ refreshOn: 'demand' })
    watch(branch.getAccessToken())
    await clock.advance(0)
    await answerFor(2)
    await clock.advance(LIFETIME)
    expect(refresh.calls).toHaveLength(1)
    const token = watch(branch.getAccessToken())
    await clock.advance(0)
    await answerFor(3)
    expect(token.value).toBe(`${SECRET}-branch-3`)
  })

  it('has the user of the session, and claims and scope of its own token', async () => {
    const { branch, clock, answerFor, events } = branched({
      initialTokens: tokens(1, { subject: 'ada', scope: 'openid all', user: { name: 'Ada' } }),
    })
    await clock.advance(0)
    expect(branch.session).toMatchObject({ subject: 'ada', user: { name: 'Ada' } })
    watch(branch.getAccessToken())
    await clock.advance(0)
    await answerFor(2, { scope: 'pay', user: undefined })
    expect(branch.session).toMatchObject({ subject: 'ada', user: { name: 'Ada' }, scope: 'pay', epoch: 1 })
    expect(events.filter(({ type }) => type === 'refreshed')).toEqual([])
  })

  it.each([
    ['no target', () => branched().createBranch({}), 'resource, scope and extra are missing'],
    [
      'a branch',
      () => createBranchWith(branched().branch, PAYMENTS, systemClock),
      'needs the session that has the refresh token',
    ],
    [
      'a session in a worker',
      () =>
        createBranchWith({ actor: { getSnapshot: () => ({ context: {} }) } } as never, PAYMENTS, systemClock),
      'in the worker',
    ],
  ])('is refused with %s', (_, create, message) => {
    expect(create).toThrow(TypeError)
    expect(create).toThrow(message)
  })
})

describe.each<[string, () => HarnessOptions]>([
  ['without a store', () => ({})],
  ['with a store', () => ({ storage: memoryStorage() })],
])('the refresh token of a session %s', (_, options) => {
  it('is presented by one at a time, and each presents what the one before left', async () => {
    const made = branched(options())
    const { auth, branch, clock, refresh } = made
    const other = made.createBranch({ scope: 'read' })
    const results = [auth.refresh(), branch.getAccessToken(), other.getAccessToken()].map((promise) =>
      watch<unknown>(promise),
    )
    for (let n = 2; n <= 4; n++) {
      await clock.advance(0)
      expect(refresh.calls).toHaveLength(n - 1)
      refresh.call().resolve(tokens(n))
    }
    await clock.advance(0)
    expect(results.map(({ state }) => state)).toEqual(['fulfilled', 'fulfilled', 'fulfilled'])
    expect(sentTokens(made)).toEqual(['rt-1', 'rt-2', 'rt-3'])
  })

  it('is not presented by a branch while a refresh that had begun before the branch is in progress', async () => {
    const made = createHarness({ timeouts: { refresh: TIMEOUT }, ...options() })
    watch(made.auth.refresh())
    await made.clock.advance(0)
    watch(createBranchWith(made.auth, PAYMENTS, made.clock).getAccessToken())
    await made.clock.advance(0)
    expect(sentTokens(made)).toEqual(['rt-1'])
    made.refresh.call().resolve(tokens(2))
    await made.clock.advance(0)
    expect(sentTokens(made)).toEqual(['rt-1', 'rt-2'])
  })

  it('is not presented while a late answer to a branch may come, which is used', async () => {
    const made = branched(options())
    const { auth, branch, clock, refresh } = made
    const token = watch(branch.getAccessToken())
    await clock.advance(TIMEOUT)
    watch(auth.refresh())
    await clock.advance(TIMEOUT - 1)
    expect(sentTokens(made)).toEqual(['rt-1'])
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(token.value).toBe(`${SECRET}-at-2`)
    expect(sentTokens(made)).toEqual(['rt-1', 'rt-2'])
  })

  it('is not presented by a branch while a late answer to the session may come', async () => {
    const made = branched(options())
    const { auth, branch, clock, refresh } = made
    watch(auth.refresh())
    await clock.advance(TIMEOUT / 2)
    watch(branch.getAccessToken())
    await clock.advance(1.5 * TIMEOUT - 1)
    expect(sentTokens(made)).toEqual(['rt-1'])
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    expect(sentTokens(made)).toEqual(['rt-1', 'rt-2'])
  })

  it('reaches the session although the branch that asked for it was disposed', async () => {
    const made = branched(options())
    const { auth, branch, clock, answerFor } = made
    const token = watch(branch.getAccessToken())
    await clock.advance(0)
    branch.dispose()
    await answerFor(2)
    expect(token.error).toMatchObject({ code: 'disposed' })
    watch(auth.refresh())
    await clock.advance(0)
    expect(sentTokens(made)).toEqual(['rt-1', 'rt-2'])
  })

  it('is revoked if it arrives after the user signed out', async () => {
    const revoked: RevocableTokens[] = []
    const made = branched({ revoke: (given) => void revoked.push(given), ...options() })
    const { auth, branch, clock, answerFor, emitted } = made
    const token = watch(branch.getAccessToken())
    await clock.advance(0)
    watch(auth.signOut())
    await clock.advance(0)
    expect(token.error).toMatchObject({ code: 'signed_out' })
    await answerFor(2)
    expect(revoked.map(({ refreshToken }) => refreshToken)).toEqual([`${SECRET}-rt-1`, `${SECRET}-rt-2`])
    expect(branch.state).toBe('loggedOut')
    expect(emitted()).toContain('discarded')
  })

  it.each([
    [
      'kept if it arrives after the same user signed in again, whose tokens the server may revoke with it',
      'ada',
    ],
    ['revoked if it arrives after another user signed in', 'eve'],
  ])('is %s', async (_, subject) => {
    const revoked: RevocableTokens[] = []
    const initialTokens = tokens(1, { subject: 'ada' })
    const made = branched({ initialTokens, revoke: (given) => void revoked.push(given), ...options() })
    const { auth, branch, clock, answerFor } = made
    watch(branch.getAccessToken())
    await clock.advance(0)
    await auth.setTokens(tokens(5, { subject }))
    await answerFor(2)
    expect(revoked.map(({ refreshToken }) => refreshToken)).toEqual(
      subject === 'ada' ? [] : [`${SECRET}-rt-2`],
    )
  })

  it('is never presented again after an answer to a branch was lost, if the app says so', async () => {
    const made = branched({ ambiguousRefresh: 'expire', ...options() })
    const { auth, branch, clock, refresh } = made
    const other = made.createBranch({ scope: 'read' })
    const token = watch(branch.getAccessToken())
    await clock.advance(0)
    refresh.call().reject(new TypeError('fetch failed'))
    await clock.advance(0)
    expect(token.error).toMatchObject({ code: 'session_expired', reason: 'ambiguous' })
    expect(watch(other.getAccessToken()).state).toBe('pending')
    await clock.advance(0)
    expect(other.state).toBe('expired')
    expect(auth.state).toBe('authenticated')
    await clock.advance(LIFETIME)
    expect([auth.state, auth.actor.getSnapshot().context.reason]).toEqual(['expired', 'ambiguous'])
    expect(sentTokens(made)).toEqual(['rt-1'])
  })

  it('that a branch has presented is not presented by a session that did not get its lock', async () => {
    const made = branched({ timeouts: { refresh: 10 * TIMEOUT, lock: TIMEOUT }, ...options() })
    const { auth, branch, clock, refresh, answerFor } = made
    watch(branch.getAccessToken())
    await clock.advance(0)
    const refreshed = watch(auth.refresh())
    await clock.advance(TIMEOUT)
    expect(made.last('refreshFailed')).toMatchObject({ reason: 'lock_unavailable', fatal: false })
    expect(refresh.calls).toHaveLength(1)
    await answerFor(2)
    await clock.advance(TIMEOUT)
    refresh.call().resolve(tokens(3))
    await clock.advance(0)
    expect(refreshed.state).toBe('fulfilled')
    expect(sentTokens(made)).toEqual(['rt-1', 'rt-2'])
  })
})

describe('a stored session with branches', () => {
  it('has the new refresh token in the store before the next turn begins', async () => {
    const storage = memoryStorage()
    const made = branched({ storage })
    const { auth, branch, clock, answerFor } = made
    // Another tab.
    const other = createHarness({ signedOut: true, storage, clock })
    await other.auth.ready()
    watch(branch.getAccessToken())
    await clock.advance(0)
    watch(other.auth.refresh())
    await clock.advance(0)
    expect(sentTokens(other)).toEqual([])
    await answerFor(2)

    expect(storage.read()).toMatchObject({
      accessToken: `${SECRET}-at-1`,
      refreshToken: `${SECRET}-rt-2`,
      rotation: 1,
    })
    expect(sentTokens(other)).toEqual(['rt-2'])
    other.refresh.call().resolve(tokens(3))
    await clock.advance(0)
    watch(auth.refresh())
    await clock.advance(0)
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-3`)
  })

  it('keeps its turn until a slow store has the new refresh token', async () => {
    let stored = () => {}
    const memory = memoryStorage()
    const write = (record: SessionRecord) =>
      new Promise<unknown>((resolve) => (stored = () => resolve(memory.write(record))))
    const storage = { ...memory, write }
    const made = branched({ storage, timeouts: { storage: TIMEOUT } })
    const { auth, branch, clock, answerFor } = made
    stored()
    await clock.advance(0)
    watch(branch.getAccessToken())
    await clock.advance(0)
    await answerFor(2)
    watch(auth.refresh())
    await clock.advance(TIMEOUT - 1)
    expect(sentTokens(made)).toEqual(['rt-1'])
    stored()
    await clock.advance(0)
    expect(sentTokens(made)).toEqual(['rt-1', 'rt-2'])
  })

  it('goes on with what another tab refreshed, before a branch presents anything', async () => {
    const storage = memoryStorage()
    const made = branched({ storage })
    const { auth, branch, clock, emitted } = made
    await clock.advance(0)
    const record = storage.read() as SessionRecord
    storage.write({ ...record, rotation: 7, refreshToken: `${SECRET}-rt-7`, accessToken: `${SECRET}-at-7` })
    watch(branch.getAccessToken())
    await clock.advance(0)
    expect(sentTokens(made)).toEqual(['rt-7'])
    expect(emitted()).toEqual(['refreshed'])
    expect(await auth.getAccessToken()).toBe(`${SECRET}-at-7`)
  })

  it('does not replace a newer refresh token of another tab by that of a branch', async () => {
    const storage = memoryStorage()
    const { auth, branch, clock, answerFor, emitted } = branched({ storage })
    watch(branch.getAccessToken())
    await clock.advance(0)
    const record = storage.read() as SessionRecord
    storage.write({ ...record, rotation: 7, refreshToken: `${SECRET}-rt-7`, accessToken: `${SECRET}-at-7` })
    auth.actor.send({ type: 'store.changed' })
    await clock.advance(0)
    await answerFor(2)
    expect(storage.read()).toMatchObject({ refreshToken: `${SECRET}-rt-7`, rotation: 7 })
    expect(emitted()).toContain('discarded')
  })

  it('emits no refresh in a tab whose session got only another refresh token', async () => {
    const storage = memoryStorage()
    const { branch, clock, answerFor } = branched({ storage })
    const other = createHarness({ signedOut: true, storage, clock })
    await other.auth.ready()
    watch(branch.getAccessToken())
    await clock.advance(0)
    await answerFor(2)
    other.auth.actor.send({ type: 'store.changed' })
    await clock.advance(0)
    expect(other.emitted()).toEqual([])
    watch(other.auth.refresh())
    await clock.advance(0)
    expect(sentTokens(other)).toEqual(['rt-2'])
  })

  it('stores the refresh token of an answer that comes after it was disposed, before the next turn', async () => {
    let record: unknown
    let stored = () => {}
    const storage = {
      read: () => record,
      write: (next: unknown) =>
        new Promise<void>((resolve) => {
          stored = () => {
            record = next
            resolve()
          }
        }),
      clear() {},
    }
    const { auth, branch, clock, answerFor, refresh } = branched({ storage })
    stored()
    await clock.advance(0)
    const other = createHarness({ signedOut: true, storage, clock })
    await other.auth.ready()
    watch(branch.getAccessToken())
    await clock.advance(0)
    auth.dispose()
    expect(refresh.call().argument.signal.aborted).toBe(false)
    watch(other.auth.refresh())
    await answerFor(2)
    expect(sentTokens(other)).toEqual([])
    stored()
    await clock.advance(0)
    expect(sentTokens(other)).toEqual(['rt-2'])
  })

  it('takes the turns of its coordinator, with the rotation of the session', async () => {
    const log: string[] = []
    const turn: Turn = {
      fence: 1,
      present: async ({ rotation }) => {
        log.push(`present ${rotation}`)
        return true
      },
      holds: () => true,
      settle: () => void log.push('settle'),
    }
    const coordinator = {
      lock: 'required' as const,
      exclusive: async <T>(_: string, task: (given?: Turn) => Promise<T>) => {
        const result = await task(turn)
        log.push('release')
        return result
      },
      announce() {},
      subscribe: () => () => {},
    }
    const made = branched({ storage: memoryStorage(), coordinator })
    const { auth, branch, clock, answerFor, refresh } = made
    watch(auth.refresh())
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    watch(branch.getAccessToken())
    await clock.advance(0)
    await answerFor(3)
    watch(auth.refresh())
    await clock.advance(0)
    expect(log).toEqual(['present 0', 'release', 'present 1', 'settle', 'release', 'present 2'])
  })

  it('tries again with what another process has stored, if its refresh token was rejected', async () => {
    const storage = memoryStorage()
    const made = branched({ storage })
    const { branch, clock, refresh, answerFor } = made
    const token = watch(branch.getAccessToken())
    await clock.advance(0)
    const record = storage.read() as SessionRecord
    storage.write({ ...record, rotation: 7, refreshToken: `${SECRET}-rt-7`, accessToken: `${SECRET}-at-7` })
    refresh.call().reject(refused())
    await clock.advance(0)
    await answerFor(8)
    expect(token.value).toBe(`${SECRET}-branch-8`)
    expect(sentTokens(made)).toEqual(['rt-1', 'rt-7'])
  })
})

describe('a branch and the life of its session', () => {
  it('waits while the session is restored, and is anonymous without a session', async () => {
    let found = (_: unknown) => {}
    const storage = {
      read: () => new Promise((resolve) => (found = resolve)),
      write() {},
      clear() {},
    }
    const { auth, branch, clock } = branched({ signedOut: true, storage })
    await clock.advance(0)
    const token = watch(branch.getAccessToken({ allowAnonymous: true }))
    await clock.advance(0)
    expect([auth.state, branch.state, token.state]).toEqual(['restoring', 'restoring', 'pending'])
    found(undefined)
    await clock.advance(0)
    expect([branch.state, token.state, token.value]).toEqual(['anonymous', 'fulfilled', undefined])
  })

  it('holds its requests during a sign-in, and sends them with a token of the new session', async () => {
    const made = branched({ signedOut: true })
    const { auth, branch, clock, signIn, answerFor } = made
    await clock.advance(0)
    expect(branch.state).toBe('anonymous')
    watch(auth.signIn('ada'))
    await clock.advance(0)
    const token = watch(branch.getAccessToken())
    await clock.advance(0)
    expect(token.state).toBe('pending')
    signIn.call().resolve(tokens(1))
    await clock.advance(0)
    await answerFor(2)
    expect(token.value).toBe(`${SECRET}-branch-2`)
    expect(sentTokens(made)).toEqual(['rt-1'])
  })

  it('sends its requests without a token if the sign-in that they waited for fails', async () => {
    const { auth, branch, clock, signIn } = branched({ signedOut: true })
    await clock.advance(0)
    watch(auth.signIn('ada'))
    await clock.advance(0)
    const token = watch(branch.getAccessToken({ allowAnonymous: true }))
    signIn.call().reject(refused())
    await clock.advance(0)
    expect(token).toMatchObject({ state: 'fulfilled', value: undefined })
  })

  it('ends with the session, for the same reason, and begins with the next one', async () => {
    const made = branched()
    const { auth, branch, clock, refresh, signIn, answerFor } = made
    watch(branch.getAccessToken())
    await clock.advance(0)
    await answerFor(2)
    watch(auth.refresh())
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(LIFETIME)
    expect(auth.state).toBe('expired')
    await expect(branch.getAccessToken()).rejects.toMatchObject({
      code: 'session_expired',
      reason: 'invalid_grant',
    })
    watch(auth.signIn('ada'))
    await clock.advance(0)
    signIn.call().resolve(tokens(5))
    await clock.advance(0)
    const token = watch(branch.getAccessToken())
    await clock.advance(0)
    await answerFor(6)
    expect(token.value).toBe(`${SECRET}-branch-6`)
  })

  it('sends no request of one user with a token of another', async () => {
    const { auth, branch, clock, signIn, answerFor, refresh } = branched({
      initialTokens: tokens(1, { subject: 'ada' }),
    })
    watch(branch.getAccessToken())
    await clock.advance(0)
    await answerFor(2)
    watch(auth.signIn('grace'))
    await clock.advance(0)
    const sent: unknown[] = []
    const request = watch(
      bearerRequest(branch, {
        send: async (authorization) => void sent.push(authorization),
        challenge: () => undefined,
        replayable: true,
        key: () => 'GET /',
      }),
    )
    signIn.call().resolve(tokens(3, { subject: 'grace' }))
    await clock.advance(0)
    const token = watch(branch.getAccessToken())
    await clock.advance(0)
    expect(refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-3`)
    await answerFor(4)
    expect(request.error).toMatchObject({ code: 'signed_out', reason: 'user_changed' })
    expect(token.value).toBe(`${SECRET}-branch-4`)
    expect(sent).toEqual([])
  })

  it('holds its requests while tokens that the app gave to the session are being stored', async () => {
    let stored = () => {}
    const memory = memoryStorage()
    const write = (record: SessionRecord) =>
      new Promise<unknown>((resolve) => (stored = () => resolve(memory.write(record))))
    const storage = { ...memory, write }
    const made = branched({ storage })
    const { auth, branch, clock, answerFor } = made
    stored()
    await clock.advance(0)
    watch(branch.getAccessToken())
    await clock.advance(0)
    await answerFor(2)
    stored()
    await clock.advance(0)
    watch(auth.setTokens(tokens(5, { subject: 'grace' })))
    const token = watch(branch.getAccessToken())
    await clock.advance(0)
    expect(token.state).toBe('pending')
    stored()
    await clock.advance(0)
    expect(token.state).not.toBe('fulfilled')
  })

  it('is ended alone by a target that the server does not grant', async () => {
    const { auth, branch, clock, refresh } = branched()
    const token = watch(branch.getAccessToken())
    await clock.advance(0)
    refresh.call().reject(refused('invalid_target'))
    await clock.advance(0)
    expect(token.error).toMatchObject({ code: 'session_expired', reason: 'invalid_target' })
    expect([auth.state, refresh.calls.length]).toEqual(['authenticated', 1])
  })

  it("rejects its requests if it has ended alone, with whenExpired: 'hold' too, because no sign-in is due", async () => {
    const { branch, clock, refresh } = branched({ whenExpired: 'hold' })
    const token = watch(branch.getAccessToken())
    await clock.advance(0)
    refresh.call().reject(refused('invalid_target'))
    await clock.advance(0)
    expect(token.error).toMatchObject({ code: 'session_expired', reason: 'invalid_target' })
    await expect(branch.getAccessToken()).rejects.toMatchObject({ reason: 'invalid_target' })
  })

  it("holds its requests with whenExpired: 'hold' until it is known whether the session has expired, too", async () => {
    const { auth, branch, clock, refresh, answerFor } = branched({
      whenExpired: 'hold',
      initialTokens: tokens(1, USER),
    })
    const refuseBranch = async () => {
      const token = watch(branch.getAccessToken())
      await clock.advance(0)
      refresh.call().reject(refused())
      await clock.advance(0)
      expect([auth.state, branch.state, token.state]).toEqual(['refreshing', 'expired', 'pending'])
      return token
    }
    const ofSession = await refuseBranch()
    await answerFor(2, USER)
    expect(ofSession.error).toMatchObject({ code: 'session_expired' })

    await auth.setTokens(tokens(3, USER))
    await clock.advance(0)
    const ofEnd = await refuseBranch()
    refresh.call().reject(refused())
    await clock.advance(LIFETIME)
    expect(auth.state).toBe('expired')
    const next = watch(branch.getAccessToken())
    await auth.setTokens(tokens(4, USER))
    await clock.advance(0)
    await answerFor(5, USER)
    expect([ofEnd.state, next.value]).toEqual(['rejected', `${SECRET}-branch-5`])
  })

  it('lets the session find out that its refresh token was rejected', async () => {
    const { auth, branch, clock, refresh } = branched()
    watch(branch.getAccessToken())
    await clock.advance(0)
    refresh.call().reject(refused())
    await clock.advance(0)
    expect(refresh.calls).toHaveLength(2)
    expect(refresh.call().argument.branch).toBeUndefined()
    refresh.call().reject(refused())
    await clock.advance(LIFETIME)
    expect(auth.state).toBe('expired')
  })

  it('counts as a use of the session for its idle limit', async () => {
    const { auth, branch, clock, answerFor } = branched({ limits: { idle: 60_000 }, refreshOn: 'demand' })
    watch(branch.getAccessToken())
    await clock.advance(0)
    await answerFor(2)
    for (let minute = 0; minute < 5; minute++) {
      await clock.advance(50_000)
      await branch.getAccessToken()
    }
    expect([auth.state, branch.endsAt]).toEqual(['authenticated', auth.endsAt])
    await clock.advance(60_000)
    expect([auth.state, branch.state]).toEqual(['expired', 'expired'])
    await expect(branch.getAccessToken()).rejects.toMatchObject({ reason: 'idle' })
  })

  it('ends with a session that had expired before, when the user signs out', async () => {
    const { auth, branch, clock } = branched({ limits: { idle: 60_000 }, whenExpired: 'hold' })
    await clock.advance(60_000)
    const token = watch(branch.getAccessToken())
    await clock.advance(0)
    expect([auth.state, branch.state, token.state]).toEqual(['expired', 'expired', 'pending'])
    await auth.signOut()
    expect([auth.state, branch.state]).toEqual(['loggedOut', 'loggedOut'])
    expect(token.error).toMatchObject({ code: 'signed_out' })
  })

  it('leaves the key to the session when it is signed out', async () => {
    let forgotten = 0
    const proof = defineProof({
      prove: async ({ accessToken }) => ({ authorization: `DPoP ${accessToken}`, dpop: 'proof' }),
      heed: () => undefined,
      keyId: async () => 'key-1',
      forget: () => void forgotten++,
    })
    const bound = { token_type: 'DPoP' }
    const { auth, branch, clock, answerFor } = branched({ proof, initialTokens: tokens(1, bound) })
    watch(branch.getAccessToken())
    await clock.advance(0)
    await answerFor(2, bound)
    await branch.signOut()
    await clock.advance(0)
    expect([branch.state, auth.state, forgotten]).toEqual(['loggedOut', 'authenticated', 0])
    await auth.signOut()
    await clock.advance(0)
    expect(forgotten).toBe(1)
  })

  it('is disposed with the session, and leaves nothing behind when it is disposed before', async () => {
    const { auth, branch, createBranch } = branched()
    for (let n = 0; n < 3; n++) createBranch({ scope: `${n}` }).dispose()
    auth.dispose()
    await expect(branch.getAccessToken()).rejects.toMatchObject({ code: 'disposed' })
  })
})
