import { describe, expect, it } from 'vitest'
import { onSessionEnd, requireSession, type SessionEnd, safeReturnPath } from '../../src/bindings/guard.ts'
import { createHarness, LIFETIME, refused, tokens } from '../core/auth-setup.ts'
import fc from '../support/property.ts'

const auths = () => {
  const { auth } = createHarness({ signedOut: true })
  const { auth: signedIn } = createHarness({ initialTokens: tokens(1) })
  return { auth, signedIn }
}

describe('requireSession', () => {
  it('returns undefined for a signed-in user', async () => {
    const { signedIn } = auths()
    expect(await requireSession(signedIn, { url: '/notes', loginPath: '/login' })).toBeUndefined()
  })

  it.each([
    ['/notes', '/login?returnTo=%2Fnotes'],
    ['/notes?page=2&q=a%20b#last', '/login?returnTo=%2Fnotes%3Fpage%3D2%26q%3Da%2520b%23last'],
    ['https://app.example/notes?page=2', '/login?returnTo=%2Fnotes%3Fpage%3D2'],
    [new URL('https://app.example/notes#last'), '/login?returnTo=%2Fnotes%23last'],
    ['https://app.example//evil.example/x', '/login?returnTo=%2F'],
    ['https://app.example/%5cevil.example', '/login?returnTo=%2F'],
  ])('redirects a signed-out user from %s to %s', async (url, target) => {
    const { auth } = auths()
    expect(await requireSession(auth, { url, loginPath: '/login' })).toBe(target)
    const query = new URL(target, 'https://app.example').searchParams.get('returnTo')
    expect(safeReturnPath(query, 'none')).toBe(query)
  })

  it('keeps the query and the fragment of the sign-in page', async () => {
    const { auth } = auths()
    const to = (loginPath: string) => requireSession(auth, { url: '/notes', loginPath, param: 'next' })
    expect(await to('/login?theme=dark')).toBe('/login?theme=dark&next=%2Fnotes')
    expect(await to('/login#form')).toBe('/login?next=%2Fnotes#form')
    expect(await to('/login?a#form')).toBe('/login?a&next=%2Fnotes#form')
  })

  it.each([
    ['/login', '/login'],
    ['/login?returnTo=%2Fnotes', '/login'],
    ['/login/?returnTo=%2Fnotes#form', '/login'],
    ['https://app.example/login', '/login/'],
    ['https://app.example/login?theme=dark&x=1', 'https://app.example/login?theme=dark'],
    ['/?returnTo=%2F&page=login', '/?page=login'],
    ['https://app.example/#/login?returnTo=%2Fnotes', '/#/login'],
    ['/login?returnTo=%2Fnotes', '/login#form'],
  ])('lets a signed-out user onto %s, because %s is the sign-in page', async (url, loginPath) => {
    const { auth } = auths()
    expect(await requireSession(auth, { url, loginPath })).toBeUndefined()
  })

  it.each([
    ['/login/keys', '/login'],
    ['/', '/?page=login'],
    ['/?page=notes', '/?page=login'],
    ['/#/notes', '/#/login'],
    ['https://app.example/login', 'https://login.example/login'],
  ])('redirects a signed-out user from %s, because only %s is the sign-in page', async (url, loginPath) => {
    const { auth } = auths()
    expect(await requireSession(auth, { url, loginPath })).toBeTypeOf('string')
  })

  it.each(['', '#', '#login'])(
    'rejects if %j is to be the sign-in page, because each page would be it',
    async (loginPath) => {
      const { auth } = auths()
      await expect(requireSession(auth, { url: '/notes', loginPath })).rejects.toThrow(TypeError)
    },
  )

  it('redirects at most once, wherever the sign-in page is', async () => {
    const { auth } = auths()
    const segment = fc.constantFrom('login', 'a', 'ü', '%20', 'b.c')
    const path = fc.array(segment, { maxLength: 3 }).map((parts) => `/${parts.join('/')}`)
    const query = fc.constantFrom('', '?a=1', '?a=1&a=2&b', '?a=%20+', '?returnTo=x')
    const fragment = fc.constantFrom('', '#form', '#/login', '#/a/')
    const page = fc.tuple(path, query, fragment).map((parts) => parts.join(''))
    await fc.assert(
      fc.asyncProperty(page, page, async (url, loginPath) => {
        const login = await requireSession(auth, { url, loginPath })
        if (login) expect(await requireSession(auth, { url: login, loginPath })).toBeUndefined()
      }),
    )
  })

  it('waits until the stored session has been read', async () => {
    const { auth, refresh, clock } = createHarness({ signedOut: true, silentSignIn: true })
    let target: string | undefined | 'waits' = 'waits'
    const asked = requireSession(auth, { url: '/notes', loginPath: '/login' }).then((answer) => {
      target = answer
    })
    await clock.advance(0)
    expect(target).toBe('waits')
    refresh.call().resolve(tokens(1))
    await asked
    expect(target).toBeUndefined()
  })

  it('rejects if the auth is disposed of in the meantime', async () => {
    const { auth } = createHarness({ signedOut: true, silentSignIn: true })
    const asked = requireSession(auth, { url: '/notes', loginPath: '/login' })
    auth.dispose()
    await expect(asked).rejects.toMatchObject({ name: 'DisposedError' })
  })
})

describe('onSessionEnd', () => {
  const watchEnds = () => {
    const harness = createHarness({ initialTokens: tokens(1, { subject: 'ada' }) })
    const ends: unknown[] = []
    const stop = onSessionEnd(harness.auth, ({ expired }: SessionEnd) =>
      ends.push([expired, harness.auth.session?.subject]),
    )
    return { ...harness, ends, stop }
  }

  it('calls back once the user has signed out', async () => {
    const { auth, ends } = watchEnds()
    await auth.signOut()
    expect(ends).toEqual([[false, undefined]])
  })

  it('calls back once the session has expired, and not again when the user signs in or out', async () => {
    const { auth, clock, refresh, ends } = watchEnds()
    await clock.advance(LIFETIME - 1)
    refresh.call().reject(refused())
    await clock.advance(LIFETIME)
    expect(auth.state).toBe('expired')
    expect(ends).toEqual([[true, undefined]])
    await auth.setTokens(tokens(2, { subject: 'ada' }))
    expect(ends).toHaveLength(1)
  })

  it('calls back when another user takes over, because pages show what the first one loaded', async () => {
    const { auth, ends } = watchEnds()
    await auth.setTokens(tokens(2, { subject: 'grace' }))
    expect(ends).toEqual([[false, 'grace']])
  })

  it('ignores refreshes and failures, and calls back no more once it is removed', async () => {
    const { auth, refresh, clock, ends, stop } = watchEnds()
    const refreshed = auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2, { subject: 'ada' }))
    await refreshed
    expect(ends).toEqual([])
    stop()
    await auth.signOut()
    expect(ends).toEqual([])
  })
})
