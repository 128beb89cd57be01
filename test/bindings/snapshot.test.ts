import { describe, expect, it } from 'vitest'
import { RESTORING, storeOf, withInitial } from '../../src/bindings/snapshot.ts'
import { createHarness, LIFETIME, refused, tokens } from '../core/auth-setup.ts'

const ADA = { name: 'Ada' }

/** A session of Ada that has expired, and the store that a page read before. */
async function expired({ read = true } = {}) {
  const harness = createHarness({ initialTokens: { ...tokens(1, { subject: 'ada' }), user: ADA } })
  const { auth, clock, refresh } = harness
  const store = storeOf(auth)
  if (read) store.read()
  await clock.advance(LIFETIME - 1)
  refresh.call().reject(refused())
  await clock.advance(LIFETIME)
  expect(auth.state).toBe('expired')
  return { ...harness, store }
}

describe('the last session of a snapshot', () => {
  it('is the session, and stays when it expires, for the page under a dialog', async () => {
    const { store } = await expired()
    expect(store.read()).toMatchObject({
      view: 'expired',
      session: undefined,
      lastSession: { subject: 'ada', user: ADA },
    })
    expect(store.read()).toBe(store.read())
  })

  it('stays while the user signs in again, and after a wrong password', async () => {
    const { auth, signIn, store, clock } = await expired()
    const wrong = auth.signIn('wrong').catch(() => {})
    await clock.advance(0)
    expect(store.read().lastSession?.user).toEqual(ADA)
    signIn.call().reject(new Error('wrong'))
    await wrong
    expect(store.read().lastSession?.user).toEqual(ADA)
  })

  it('is missing once the user signs out', async () => {
    const { auth, store } = await expired()
    await auth.signOut()
    expect(store.read().lastSession).toBeUndefined()
    const signedIn = await expired({ read: true })
    await signedIn.auth.signOut()
    expect(signedIn.store.read().lastSession).toBeUndefined()
  })

  it('is never that of an earlier user, whose page nothing read since', async () => {
    const { auth, store, clock, refresh } = await expired()
    await auth.setTokens({ ...tokens(2, { subject: 'grace' }), user: { name: 'Grace' } })
    await clock.advance(LIFETIME - 1)
    refresh.call().reject(refused())
    await clock.advance(LIFETIME)
    expect(auth.state).toBe('expired')
    expect(store.read().lastSession).toBeUndefined()
  })
})

describe('an initial session', () => {
  const restoring = () => createHarness({ signedOut: true, silentSignIn: true })

  it('is shown until the auth has restored its own', async () => {
    const { auth, refresh, clock } = restoring()
    const store = withInitial(storeOf(auth), { user: ADA })
    expect(store.read()).toMatchObject({ view: 'signedIn', state: 'authenticated', session: { user: ADA } })
    await clock.advance(0)
    expect(store.read()).toBe(store.initial)
    refresh.call().resolve({ ...tokens(1), user: { name: 'Ada L.' } })
    await clock.advance(0)
    expect(store.read()).toMatchObject({
      view: 'signedIn',
      session: { user: { name: 'Ada L.' }, generation: 1 },
    })
  })

  it('gives way to the sign-in page if the browser finds no session', async () => {
    const { auth, refresh, clock } = restoring()
    const store = withInitial(storeOf(auth), { user: ADA })
    await clock.advance(0)
    refresh.call().reject({ status: 401 })
    await clock.advance(0)
    expect(store.read()).toMatchObject({ view: 'signedOut', session: undefined, lastSession: undefined })
  })

  it('may say that no user is signed in', () => {
    const store = withInitial(storeOf(restoring().auth), null)
    expect(store.initial).toMatchObject({ view: 'signedOut', state: 'anonymous', session: undefined })
    expect(withInitial(storeOf(restoring().auth), undefined).initial).toBe(RESTORING)
  })
})
