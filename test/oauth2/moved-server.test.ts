import { expect, test } from 'vitest'
import { systemClock } from '../../src/environment/clock.ts'
import type { RefreshRequest } from '../../src/index.ts'
import { connect, startIssuer } from './issuer.ts'

const MINUTE = 60_000

const notFound = () => Promise.resolve(new Response('<html>', { status: 404 }))

/** A client of a server that moves its endpoints, a minute after the client has read their addresses. */
async function setUp(metadata: Readonly<Record<string, unknown>> = {}) {
  const issuer = await startIssuer()
  /** What is at the old addresses. */
  const old = new Map<string, () => Promise<Response>>()
  let passed = 0
  const at = (path: string) => issuer.url + path
  issuer.misbehave({ metadata })
  const sent: string[] = []
  const { oauth, auth } = await connect(
    issuer,
    {
      clock: { ...systemClock, now: () => Date.now() + passed },
      fetch(url, init) {
        const { pathname } = new URL(String(url))
        sent.push(pathname)
        const answer = old.get(pathname)
        if (answer) return answer()
        if (!pathname.endsWith('/request')) return fetch(String(url).replace('/new/', '/'), init)
        return Promise.resolve(
          Response.json({ request_uri: `urn:${pathname}`, expires_in: 60 }, { status: 201 }),
        )
      },
    },
    { retry: { minDelay: 1, jitter: 0 } },
  )
  return {
    issuer,
    oauth,
    auth,
    sent,
    at,
    async signIn() {
      await auth.signIn({ via: 'callback', url: issuer.answer(await oauth.authorizationUrl()) })
    },
    /** An endpoint is at another address from now on. */
    move(name: string, from: string, to: string, answer = notFound) {
      old.set(from, answer)
      passed += MINUTE
      issuer.misbehave({ metadata: { ...metadata, [name]: at(to) } })
    },
    wait() {
      passed += MINUTE
    },
  }
}

test('a sign-in sends the user to the page that has moved', async () => {
  const { oauth, move, at } = await setUp()
  await oauth.authorizationUrl()
  move('authorization_endpoint', '/authorize', '/new/authorize')
  const { origin, pathname } = await oauth.authorizationUrl()
  expect(origin + pathname).toBe(at('/new/authorize'))
})

test('a sign-in uses the metadata that it has if they cannot be read again', async () => {
  const { issuer, oauth, wait, sent } = await setUp()
  const before = await oauth.authorizationUrl()
  wait()
  issuer.misbehave({ discovery: [503, '{}'] })
  const { pathname } = await oauth.authorizationUrl()
  expect(pathname).toBe(before.pathname)
  expect(sent).toHaveLength(2)
})

test('a sign-in pushes its parameters to the endpoint that has moved', async () => {
  const { oauth, move } = await setUp({
    require_pushed_authorization_requests: true,
    pushed_authorization_request_endpoint: 'http://127.0.0.1/request',
  })
  await oauth.authorizationUrl()
  move('pushed_authorization_request_endpoint', '/request', '/new/request')
  const { searchParams } = await oauth.authorizationUrl()
  expect(searchParams.get('request_uri')).toBe('urn:/new/request')
})

test('a sign-out revokes the tokens at the endpoint that has moved', async () => {
  const { auth, signIn, move, sent } = await setUp({ revocation_endpoint: 'http://127.0.0.1/revoke' })
  await signIn()
  move('revocation_endpoint', '/revoke', '/new/revoke')
  await auth.signOut()
  expect(sent.slice(-3)).toEqual(['/revoke', '/.well-known/openid-configuration', '/new/revoke'])
  expect(auth.history).not.toContainEqual(expect.objectContaining({ type: 'revocationFailed' }))
})

test('a sign-out leads to the page that has moved', async () => {
  const { oauth, auth, signIn, move, at } = await setUp({ end_session_endpoint: 'http://127.0.0.1/end' })
  await signIn()
  move('end_session_endpoint', '/end', '/new/end')
  const url = await oauth.signOutUrl(auth)
  expect(`${url?.origin}${url?.pathname}`).toBe(at('/new/end'))
})

test('a refresh finds the token endpoint that has moved, if the old one did not answer in time', async () => {
  const { oauth, move, sent } = await setUp()
  await oauth.authorizationUrl()
  const time = new AbortController()
  move('token_endpoint', '/token', '/new/token', () => {
    time.abort()
    return Promise.reject(time.signal.reason)
  })
  const refresh = async (signal: AbortSignal) =>
    oauth.ports.refresh({ refreshToken: 'one', signal } as RefreshRequest)

  await expect(refresh(time.signal)).rejects.toMatchObject({ name: 'AbortError' })
  await refresh(new AbortController().signal)

  expect(sent.slice(1)).toEqual(['/token', '/.well-known/openid-configuration', '/new/token'])
})
