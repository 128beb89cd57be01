import { ResponseBodyError } from 'oauth4webapi'
import { describe, expect, onTestFinished, test } from 'vitest'
import { listen } from '../../examples/demo/listen.ts'
import { createOAuthClient } from '../../examples/demo/oauth.ts'
import { CLIENT_ID, REDIRECT_URI, startTokenServer, type TokenServer } from '../../examples/demo/server.ts'
import {
  type AuthOptions,
  createAuth,
  type RefreshRequest,
  type RevocableTokens,
  SessionExpiredError,
  SignedOutError,
} from '../../src/index.ts'
import { deferred, times } from '../conformance/harness.ts'
import { transports } from '../conformance/transports.ts'

/** An API that checks each token with the token server. It checks a request for `/late` only after `releaseLate()`. */
const startApi = async (server: TokenServer) => {
  const arrived = deferred()
  const released = deferred()
  const answered: string[] = []
  const { url, close } = await listen(async (request, response) => {
    const token = request.headers.authorization?.replace(/^Bearer /, '')
    if (request.url === '/late') {
      arrived.resolve()
      await released.promise
    }
    const status = (await server.accepts(token)) ? 200 : 401
    answered.push(`${request.url} ${status}`)
    response.writeHead(status).end()
  })
  onTestFinished(close)
  return { url, answered, lateArrived: arrived.promise, releaseLate: released.resolve }
}

/** A session with a real grant of oidc-provider, and a record of its refreshes. */
const setUp = async (
  options: (client: OAuthClient) => Partial<AuthOptions<{ username: string }>> = () => ({}),
) => {
  const server = await startTokenServer({ lifetime: 3_600 })
  onTestFinished(server.close)
  const api = await startApi(server)
  const client = await createOAuthClient(server.url, CLIENT_ID, REDIRECT_URI)

  const presented: (string | undefined)[] = []
  const failures: unknown[] = []
  const refresh = async (request: RefreshRequest) => {
    presented.push(request.refreshToken)
    try {
      return await client.refresh(request)
    } catch (error) {
      failures.push(error)
      throw error
    }
  }
  const auth = createAuth({ signIn: client.signIn, refresh, revoke: client.revoke, ...options(client) })
  onTestFinished(() => auth.dispose())
  await auth.signIn({ username: 'ada' })
  return { server, api, client, auth, presented, failures }
}

type OAuthClient = Awaited<ReturnType<typeof createOAuthClient>>

const invalidGrant = { name: 'ResponseBodyError', error: 'invalid_grant', status: 400 }
const request = (refreshToken: string | undefined): RefreshRequest => ({
  refreshToken,
  scope: undefined,
  idToken: undefined,
  signal: AbortSignal.timeout(10_000),
})

describe.each(transports)('$name over oidc-provider', ({ create }) => {
  test('each refresh presents the refresh token of the previous refresh', async () => {
    const { server, api, auth, presented } = await setUp()
    const client = create(auth, { origin: api.url })

    for (const round of [1, 2, 3]) {
      await server.revokeAccessToken()
      expect(await client.get(`/${round}`)).toMatchObject({ status: 200 })
    }

    expect(api.answered).toEqual(['/1 401', '/1 200', '/2 401', '/2 200', '/3 401', '/3 200'])
    expect(new Set(presented).size).toBe(3)
    expect(auth.session).toMatchObject({ subject: 'ada', generation: 4, epoch: 1 })
    expect(server.reuseDetections).toBe(0)
  })

  test('fifty parallel 401s use the refresh token once, and the session continues', async () => {
    const { server, api, auth, presented } = await setUp()
    const client = create(auth, { origin: api.url })
    await server.revokeAccessToken()

    const answers = await Promise.all(times(50, (index) => client.get(`/${index}`)))

    expect(answers.map(({ status }) => status)).toEqual(Array(50).fill(200))
    expect(api.answered.filter((answer) => answer.endsWith('401'))).toHaveLength(50)
    expect(presented).toHaveLength(1)
    expect(server.reuseDetections).toBe(0)
    // After a detected reuse the next refresh would fail, because the family is revoked.
    await auth.refresh()
    expect(auth.session?.generation).toBe(3)
  })

  test('a refresh token that is used twice ends the session at the server', async () => {
    const { server, api, client: oauth, auth, presented } = await setUp()
    const client = create(auth, { origin: api.url })
    await auth.refresh()

    await expect(oauth.refresh(request(presented[0]))).rejects.toMatchObject(invalidGrant)

    expect(server.reuseDetections).toBe(1)
    await expect(client.get('/')).rejects.toBeInstanceOf(SessionExpiredError)
  })

  test('an invalid_grant thrown by oauth4webapi rejects all waiting requests with SessionExpiredError', async () => {
    const { server, api, auth, failures } = await setUp()
    const client = create(auth, { origin: api.url })
    await server.endSession()

    const errors = await Promise.all(times(10, (index) => client.get(`/${index}`).catch((error) => error)))

    for (const error of errors) {
      expect(error).toBeInstanceOf(SessionExpiredError)
      expect(error).toMatchObject({
        reason: 'invalid_grant',
        cause: { name: 'ResponseBodyError', status: 400 },
      })
    }
    expect(failures).toEqual([expect.any(ResponseBodyError)])
    expect(failures).toMatchObject([invalidGrant])
    expect(auth.state).toBe('expired')
    await expect(client.get('/later')).rejects.toBeInstanceOf(SessionExpiredError)
    expect(api.answered.filter((answer) => answer.startsWith('/later'))).toEqual([])
  })

  test('a sign-out revokes the tokens at the server', async () => {
    const revoked: RevocableTokens[] = []
    const {
      server,
      api,
      client: oauth,
      auth,
    } = await setUp(({ revoke }) => ({
      revoke(tokens, init) {
        revoked.push(tokens)
        return revoke(tokens, init)
      },
    }))
    const client = create(auth, { origin: api.url })
    expect(await client.get('/')).toMatchObject({ status: 200 })

    await auth.signOut()

    expect(revoked).toHaveLength(1)
    expect(await server.accepts(revoked[0]!.accessToken)).toBe(false)
    await expect(oauth.refresh(request(revoked[0]!.refreshToken))).rejects.toMatchObject(invalidGrant)
    expect(await client.get('/')).toMatchObject({ status: 401 })
  })

  test('tokens that arrive after the sign-out are revoked at the server and never used', async () => {
    const refreshed = deferred<{ access_token: string; refresh_token?: string }>()
    const answer = deferred()
    const revoked = deferred<RevocableTokens>()
    const {
      server,
      api,
      client: oauth,
      auth,
    } = await setUp(({ refresh, revoke }) => ({
      async refresh(request) {
        const tokens = await refresh(request)
        refreshed.resolve(tokens)
        await answer.promise
        return tokens
      },
      // Revoking one token revokes its family, so pass only the late tokens on. That proves that they are revoked.
      async revoke(tokens, init) {
        if (tokens.refreshToken !== (await refreshed.promise).refresh_token) return
        await revoke(tokens, init)
        revoked.resolve(tokens)
      },
    }))
    const client = create(auth, { origin: api.url })
    await server.revokeAccessToken()
    const waiting = client.get('/').catch((error) => error)
    const late = await refreshed.promise

    await auth.signOut()
    expect(await waiting).toBeInstanceOf(SignedOutError)
    expect(await server.accepts(late.access_token)).toBe(true)
    answer.resolve()

    expect((await revoked.promise).accessToken).toBe(late.access_token)
    expect(await server.accepts(late.access_token)).toBe(false)
    await expect(oauth.refresh(request(late.refresh_token))).rejects.toMatchObject(invalidGrant)
    expect(auth.session).toBeUndefined()
    expect(auth.state).toBe('loggedOut')
  })

  test('an endpoint with a late 401 still gets a refresh for the next expired token', async () => {
    const { server, api, auth } = await setUp()
    const client = create(auth, { origin: api.url })
    const late = client.get('/late')
    await api.lateArrived
    await server.revokeAccessToken()
    await auth.refresh()
    await server.revokeAccessToken()

    api.releaseLate()
    await late

    expect(await client.get('/late')).toMatchObject({ status: 200 })
    expect(auth.session?.generation).toBe(3)
  })
})
