import { describe, expect, it } from 'vitest'
import { OAuthError } from '../../src/core/errors.ts'
import type { SignInOptions } from '../../src/core/options.ts'
import type { SessionRecord } from '../../src/core/ports.ts'
import { createHarness, tokens, watch } from './auth-setup.ts'

const alreadyUsed = () => new OAuthError({ reason: 'already_used' })

const RECORD: SessionRecord = {
  version: 1,
  id: 'a',
  rotation: 0,
  startedAt: 0,
  receivedAt: 0,
  accessToken: 'stored',
  refreshToken: 'stored',
  subject: 'ada',
}

describe('a signIn function that throws already_used', () => {
  it('leaves the session as it is, and signIn() resolves to it', async () => {
    const { auth, signIn, clock, emitted } = createHarness()
    const { session } = auth
    const again = auth.signIn('answer')
    await clock.advance(0)
    signIn.call().reject(alreadyUsed())
    expect(await again).toBe(session)
    expect(emitted()).toEqual([])
  })

  it('waits for the stored session, and signIn() resolves to that', async () => {
    const { auth, signIn, clock } = createHarness({
      signedOut: true,
      storage: { read: () => RECORD, write: () => {}, clear: () => {} },
    })
    const again = auth.signIn('answer')
    await clock.advance(0)
    signIn.call().reject(alreadyUsed())
    expect(await again).toMatchObject({ subject: 'ada' })
    expect(auth.state).toBe('authenticated')
  })

  it('rejects signIn() if there is no session', async () => {
    const { auth, signIn, clock } = createHarness({ signedOut: true })
    const again = watch(auth.signIn('answer'))
    await clock.advance(0)
    signIn.call().reject(alreadyUsed())
    await clock.advance(0)
    expect(again.error).toMatchObject({ code: 'oauth_failed', reason: 'already_used' })
    expect(auth.state).toBe('anonymous')
  })
})

describe('signInFailed', () => {
  const released = () => {
    const calls: unknown[] = []
    return { calls, harness: createHarness({ signInFailed: (given) => void calls.push(given) }) }
  }

  it('is called with the credentials if signIn() rejects, even if signIn was never called', async () => {
    const { calls, harness } = released()
    const { auth, signIn, clock } = harness
    const failure = watch(auth.signIn('ada'))
    await clock.advance(0)
    signIn.call().reject(new Error('wrong password'))
    await clock.advance(0)
    expect(failure.state).toBe('rejected')
    auth.dispose()
    await expect(auth.signIn('late')).rejects.toMatchObject({ code: 'disposed' })
    expect(calls).toEqual(['ada', 'late'])
    expect(signIn.calls).toHaveLength(1)
  })

  it('replaces no reason if it throws, and its error is reported', async () => {
    const broken = new Error('broken')
    const { auth, signIn, clock, reported } = createHarness({
      signInFailed() {
        throw broken
      },
    })
    const failure = watch(auth.signIn('ada'))
    await clock.advance(0)
    const wrong = new Error('wrong password')
    signIn.call().reject(wrong)
    await clock.advance(0)
    expect(failure.error).toBe(wrong)
    expect(reported).toEqual([broken])
  })

  it('is not called if signIn() resolves to the session of an answer that was used before', async () => {
    const { calls, harness } = released()
    const { auth, signIn, clock } = harness
    const session = auth.signIn('answer')
    await clock.advance(0)
    signIn.call().reject(alreadyUsed())
    await session
    expect(calls).toEqual([])
  })
})

describe('a sign-in while another tab signs in', () => {
  /** Another tab stores a session of ada while this tab waits for an answer, which is for that user. */
  async function signedInElsewhere(subject: string) {
    let record: SessionRecord | undefined
    let change = () => {}
    const revoked: (string | undefined)[] = []
    const harness = createHarness({
      signedOut: true,
      revoke: ({ refreshToken }) => void revoked.push(refreshToken),
      storage: {
        read: () => record,
        write: (next) => {
          record = next
        },
        clear: () => {},
        subscribe(onChange) {
          change = onChange
          return () => {}
        },
      },
    })
    const { auth, signIn, clock } = harness
    await clock.advance(0)
    const signedIn = watch(auth.signIn('answer'))
    await clock.advance(0)
    record = { ...RECORD, startedAt: clock.now(), receivedAt: clock.now() }
    change()
    await clock.advance(1_000)
    expect(auth.state).toBe('authenticated')
    signIn.call().resolve(tokens(2, { subject }))
    await clock.advance(1_000)
    return { auth, signedIn, revoked }
  }

  it('resolves to the session of the other tab if that has the same user, and revokes nothing', async () => {
    const { auth, signedIn, revoked } = await signedInElsewhere('ada')
    expect(signedIn.value).toBe(auth.session)
    expect(auth.session?.subject).toBe('ada')
    expect(revoked).toEqual([])
  })

  it('is superseded if that has another user, and its tokens are revoked', async () => {
    const { auth, signedIn, revoked } = await signedInElsewhere('grace')
    expect(signedIn.error).toMatchObject({ code: 'signed_out', reason: 'superseded' })
    expect(auth.session?.subject).toBe('ada')
    expect(revoked).toEqual(['SECRET-rt-2'])
  })
})

describe('the signal `cancelled` of a signIn function', () => {
  function start() {
    const options: SignInOptions[] = []
    const harness = createHarness({
      signedOut: true,
      signIn: (_, given) => {
        options.push(given)
        return new Promise(() => {})
      },
    })
    void harness.auth.signIn('ada').catch(() => {})
    return { ...harness, options }
  }

  it('aborts when the user signs out, while the signal of the request does not', async () => {
    const { auth, clock, options } = start()
    await clock.advance(0)
    expect(options[0]?.cancelled.aborted).toBe(false)
    await auth.signOut()
    expect(options[0]?.cancelled.aborted).toBe(true)
    expect(options[0]?.signal.aborted).toBe(false)
  })

  it('aborts when another sign-in replaces this one', async () => {
    const { auth, clock, options } = start()
    await clock.advance(0)
    void auth.signIn('grace').catch(() => {})
    await clock.advance(0)
    expect(options.map(({ cancelled }) => cancelled.aborted)).toEqual([true, false])
  })
})

describe('a refresh function', () => {
  it('receives the ID token of the session', async () => {
    const { auth, refresh, clock } = createHarness({
      initialTokens: tokens(1, { id_token: 'a.b.c' }),
    })
    void auth.refresh().catch(() => {})
    await clock.advance(0)
    expect(refresh.call().argument.idToken).toBe('a.b.c')
  })
})
