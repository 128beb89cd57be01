import { describe, expect, it } from 'vitest'
import { requireSession, safeReturnPath } from '../../src/bindings/guard.ts'
import { rig, tokens } from '../core/auth-setup.ts'

const auths = () => {
  const { auth } = rig({ signedOut: true })
  const { auth: signedIn } = rig({ initialTokens: tokens(1) })
  return { auth, signedIn }
}

describe('requireSession', () => {
  it('lets pass who is signed in', async () => {
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
  ])('sends who is not from %s to %s', async (url, target) => {
    const { auth } = auths()
    expect(await requireSession(auth, { url, loginPath: '/login' })).toBe(target)
    const query = new URL(target, 'https://app.example').searchParams.get('returnTo')
    expect(safeReturnPath(query, 'none')).toBe(query)
  })

  it('keeps what the sign-in page has in its own address', async () => {
    const { auth } = auths()
    const to = (loginPath: string) => requireSession(auth, { url: '/notes', loginPath, param: 'next' })
    expect(await to('/login?theme=dark')).toBe('/login?theme=dark&next=%2Fnotes')
    expect(await to('/login#form')).toBe('/login?next=%2Fnotes#form')
    expect(await to('/login?a#form')).toBe('/login?a&next=%2Fnotes#form')
  })

  it('waits until the stored session was read', async () => {
    const { auth, refresh, clock } = rig({ signedOut: true, silentSignIn: true })
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

  it('rejects where the auth is disposed of meanwhile', async () => {
    const { auth } = rig({ signedOut: true, silentSignIn: true })
    const asked = requireSession(auth, { url: '/notes', loginPath: '/login' })
    auth.dispose()
    await expect(asked).rejects.toMatchObject({ name: 'DisposedError' })
  })
})
