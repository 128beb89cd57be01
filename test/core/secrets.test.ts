import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { AuthError } from '../../src/core/errors.ts'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createHarness, fakeCoordinator, LIFETIME, refused, SECRET, tokens } from './auth-setup.ts'

/** JSON of anything that an inspector may show, including actors, errors and cycles. */
function written(value: unknown): string {
  const seen = new WeakSet<object>()
  return JSON.stringify(value, (_, part) => {
    if (typeof part === 'function') return undefined
    if (part instanceof Error) {
      return { ...part, name: part.name, message: part.message, stack: part.stack, cause: part.cause }
    }
    if (typeof part !== 'object' || part === null) return part
    if (seen.has(part)) return '[seen]'
    seen.add(part)
    return part
  })
}

/** A session that goes through every kind of event, watched from everywhere. */
async function life() {
  const shown: unknown[] = []
  const errors: unknown[] = []
  const otherTabs = fakeCoordinator()
  const made = createHarness({
    initialTokens: tokens(1, { scope: 'read', subject: 'ada', id_token: `${SECRET}-id` }),
    storage: memoryStorage(),
    coordinator: otherTabs.coordinator,
    retry: { attempts: 2 },
    revoke: async () => {
      throw new Error(`${SECRET} in revoke`)
    },
  })
  const { auth, clock, refresh, signIn } = made
  auth.actor.system.inspect((frame) => {
    // Serialize at once, because the objects may change later.
    shown.push(written(frame), written(auth.actor.getPersistedSnapshot()))
  })
  auth.on('*', (event) => shown.push(written(event)))
  auth.actor.subscribe((snapshot) => shown.push(written(snapshot), written(snapshot.toJSON())))
  const note = (promise: Promise<unknown>) =>
    void promise.then(
      () => {},
      (error) => errors.push(error),
    )

  const fail = async (error: unknown) => {
    refresh.call().reject(error)
    await clock.advance(0)
  }
  const refreshOnce = async () => {
    note(auth.refresh())
    await clock.advance(0)
  }
  await refreshOnce()
  await fail(
    new TypeError(`POST /token?refresh_token=${SECRET}-rt-1`, {
      cause: { code: 'ECONNRESET', token: SECRET },
    }),
  )
  await fail(Object.assign(new Error(`{"refresh_token":"${SECRET}-rt-1"}`), { config: { data: SECRET } }))
  await clock.advance(30_000)
  refresh.call().resolve(tokens(2))
  await clock.advance(0)
  await refreshOnce()
  await fail({ error: 'temporarily_unavailable', error_description: SECRET })
  await clock.advance(250)
  refresh.call().resolve({ access_token: `${SECRET}\n` })
  await clock.advance(30_000)
  refresh.call().resolve(tokens(3))
  await clock.advance(LIFETIME - 60_000)
  await fail(refused())
  await clock.advance(LIFETIME)
  note(auth.getAccessToken())
  note(auth.signIn(`${SECRET}-password`))
  await clock.advance(0)
  signIn.call().reject(new Error(`${SECRET} in signIn`))
  await clock.advance(0)
  note(auth.setTokens({ access_token: SECRET, token_type: 'mac' }))
  note(auth.signIn(`${SECRET}-password`))
  await clock.advance(0)
  signIn.call().resolve(tokens(5))
  await clock.advance(0)
  await refreshOnce()
  note(auth.signOut())
  refresh.call().resolve(tokens(6))
  await clock.advance(10_000)
  note(auth.getAccessToken())
  await clock.advance(0)
  return { ...made, shown, errors, otherTabs }
}

describe('a token or a password', () => {
  it('never appears in a snapshot, an inspector frame, an event or the history', async () => {
    const { auth, shown, emitted, otherTabs, reported } = await life()
    // Check that every kind of event was emitted, because the others could not leak.
    expect(new Set(emitted())).toEqual(
      new Set([
        'refreshFailed',
        'refreshed',
        'expired',
        'signedIn',
        'signedOut',
        'discarded',
        'revocationFailed',
      ]),
    )
    expect(shown.length).toBeGreaterThan(200)
    const leaks = shown.filter((text) => (text as string).includes(SECRET))
    expect(leaks).toEqual([])
    expect(written(auth.history)).not.toContain(SECRET)
    expect(written(otherTabs.announced)).not.toContain(SECRET)
    expect(written(reported)).not.toContain(SECRET)
  })

  it('never appears in an error of the library', async () => {
    const { errors } = await life()
    const own = errors.filter((error) => error instanceof AuthError)
    expect(own.length).toBeGreaterThan(3)
    for (const error of own) {
      expect(written(error)).not.toContain(SECRET)
      expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(SECRET)
    }
  })

  it('never appears in the session or in the auth object, at any depth', async () => {
    const { auth } = createHarness({ initialTokens: tokens(1, { id_token: `${SECRET}-id` }) })
    await auth.getAccessToken()
    expect(inspect(auth, { depth: 7, showHidden: true, getters: true })).not.toContain(SECRET)
    expect(written(auth)).not.toContain(SECRET)
    expect(written(auth.session)).not.toContain(SECRET)
  })
})
