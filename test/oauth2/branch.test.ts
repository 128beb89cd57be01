import { describe, expect, onTestFinished, test } from 'vitest'
import { listen } from '../../examples/demo/listen.ts'
import { memoryFleet } from '../../src/fleet/memory.ts'
import { type AuthOptions, createAuth, createBranch, onStepUp } from '../../src/index.ts'
import { createOAuth, memoryTransactions, type SignInRequest, stepUp } from '../../src/oauth2/index.ts'
import { createAuthPool, keyRing } from '../../src/server/index.ts'
import { memoryStorage } from '../../src/storage/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import {
  API,
  APP,
  CALLBACK,
  createBrowser,
  type ProviderOptions,
  startProvider,
  type TestProvider,
} from './provider.ts'
import { startResourceServer } from './resource-server.ts'

const PAYMENTS = 'https://payments.example.com/'
const MAIL = 'https://mail.example.com/'

async function setUp(
  providerOptions: ProviderOptions = {},
  options: Partial<AuthOptions<SignInRequest>> = {},
) {
  const server = await startProvider(providerOptions)
  const oauth = createOAuth({
    issuer: server.url,
    clientId: APP,
    redirectUri: CALLBACK,
    transactions: memoryTransactions(),
    scope: 'openid read write',
    resource: API,
    branchResource: [PAYMENTS, MAIL],
  })
  const createSession = () => {
    const auth = createAuth({ ...oauth.ports, ...options })
    onTestFinished(() => auth.dispose())
    return auth
  }
  const auth = createSession()
  const browse = createBrowser()
  const signIn = async (loginHint = 'ada') =>
    auth.signIn({ via: 'callback', url: await browse(await oauth.authorizationUrl({ loginHint })) })
  const refreshes = () =>
    server.requests.filter((request) => request === 'POST /token').length - server.codes.size
  return { server, oauth, auth, signIn, createSession, refreshes }
}

/** An API that takes tokens for one audience. */
async function startApi(server: TestProvider, audience: string) {
  const { url, close } = await listen(async (request, response) => {
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? ''
    const found = await server.introspect(token)
    const isMeant = found?.aud === audience
    response
      .writeHead(isMeant ? 200 : 401)
      .end(JSON.stringify({ user: found?.accountId, scope: found?.scope }))
  })
  onTestFinished(close)
  return url
}

test('a branch gets tokens for another API from the refresh token of the session, when a request needs one', async () => {
  const { server, auth, signIn, refreshes } = await setUp()
  const payments = createBranch(auth, { resource: PAYMENTS, scope: 'read' })
  const url = await startApi(server, PAYMENTS)
  const pay = createAuthFetch(payments, { origins: [url] })
  await signIn('grace')

  expect(payments.state).toBe('authenticated')
  expect(payments.session).toMatchObject({ subject: 'grace' })
  expect(refreshes()).toBe(0)
  const answers = await Promise.all(Array.from({ length: 5 }, () => pay(url)))

  expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200))
  expect(await answers[0]?.json()).toEqual({ user: 'grace', scope: 'read' })
  expect(refreshes()).toBe(1)
  await auth.refresh()
  await payments.refresh()
  expect(await server.introspect(await auth.getAccessToken())).toMatchObject({ aud: API })
  expect(server.problems).toEqual([])
})

describe('a stronger sign-in', () => {
  /** A session with a branch, whose API may ask for more, and a user who signs in again. */
  async function setUpStepUp(options: Partial<Parameters<typeof createBranch>[1]> = {}) {
    const made = await setUp()
    const { server, oauth, auth, signIn } = made
    const branch = createBranch(auth, { resource: PAYMENTS, ...options })
    const { url, count } = await startResourceServer(server)
    const browse = createBrowser()
    const asked: (string | undefined)[] = []
    const stop = onStepUp(
      auth,
      stepUp(oauth, async (request) => {
        asked.push(request.acrValues ?? request.scope)
        return { via: 'callback', url: await browse(await oauth.authorizationUrl(request)) }
      }),
    )
    await signIn()
    const callers = [auth, branch].map((each) => createAuthFetch(each, { origins: [url] }))
    const [call, pay] = callers.map((send) => async (path: string) => (await send(url + path)).status)
    return { ...made, branch, count, asked, stop, call: call!, pay: pay! }
  }

  test('that the API of a branch asks for is one for all requests, and each goes again with another token of the branch', async () => {
    const { server, auth, pay, asked, count, refreshes } = await setUpStepUp()
    const { epoch } = auth.session ?? {}
    expect(await Promise.all(Array.from({ length: 5 }, () => pay('/mfa')))).toEqual(Array(5).fill(200))
    expect(asked).toEqual(['mfa'])
    expect(count('/mfa 401')).toBe(5)
    // The first token of the branch, and the one after the sign-in.
    expect(refreshes()).toBe(2)
    expect(auth.session?.epoch).toBe(epoch)
    expect(await pay('/mfa')).toBe(200)
    expect(server.problems).toEqual([])
  })

  test('is asked for once if the APIs of the session and of its branch need the same', async () => {
    const { asked, call, pay } = await setUpStepUp()
    // The branch has a token from before.
    expect(await pay('/')).toBe(200)
    expect(await call('/mfa')).toBe(200)
    expect(await pay('/mfa')).toBe(200)
    expect(await Promise.all([call('/recent'), pay('/recent')])).toEqual([200, 200])
    expect(asked).toEqual(['mfa'])
  })

  test('that does not satisfy the API of a branch is not asked for again by the same request', async () => {
    const { asked, pay, count } = await setUpStepUp()
    expect(await pay('/impossible')).toBe(401)
    expect(asked).toEqual(['gold'])
    expect(count('/impossible 401')).toBe(2)
  })

  test('is not asked for if it could not bring the branch more scope', async () => {
    const { asked, pay } = await setUpStepUp({ scope: 'read' })
    expect(await pay('/write')).toBe(403)
    expect(asked).toEqual([])
  })

  test('is not asked for once the handler is removed', async () => {
    const { asked, pay, stop } = await setUpStepUp()
    stop()
    expect(await pay('/mfa')).toBe(401)
    expect(asked).toEqual([])
  })

  test('is handled where the session is', async () => {
    const { branch } = await setUpStepUp()
    expect(() => onStepUp(branch as never, () => undefined)).toThrow(
      /onStepUp needs the session of createAuth/,
    )
  })
})

/** How often everything refreshes at once: `ROUNDS=100 npx vitest run test/oauth2/branch.test.ts` for a measurement. */
const ROUNDS = Number(process.env.ROUNDS ?? 5)

const branchesOf = (auth: Parameters<typeof createBranch>[0]) =>
  [PAYMENTS, MAIL, API].map((resource) => createBranch(auth, { resource }))

test(
  'sessions that share a store, and all their branches, refresh at once, and no refresh token is used twice',
  async () => {
    const { server, auth, signIn, createSession } = await setUp({}, { storage: memoryStorage() })
    await signIn()
    const sessions = [auth, createSession(), createSession()]
    await Promise.all(sessions.map((session) => session.ready()))
    const branches = sessions.flatMap(branchesOf)

    for (let round = 0; round < ROUNDS; round++)
      await Promise.all([...sessions, ...branches].map((each) => each.refresh()))

    expect(server.problems).toEqual([])
    for (const branch of branches)
      expect(await server.introspect(await branch.getAccessToken())).toBeDefined()
    expect(
      await server.introspect(await (branches[1] as (typeof branches)[0]).getAccessToken()),
    ).toMatchObject({
      aud: MAIL,
    })
  },
  60_000 + ROUNDS * 1_000,
)

test(
  'processes that share sessions, and all their branches, refresh at once, and no refresh token is used twice',
  async () => {
    const { server, oauth } = await setUp()
    const fleet = memoryFleet()
    const keys = keyRing({ k1: new Uint8Array(32).fill(1) })
    const pools = [1, 2, 3].map(() => createAuthPool({ ...oauth.ports, fleet, keys }))
    onTestFinished(async () => void (await Promise.all(pools.map((pool) => pool.dispose()))))
    const url = await createBrowser()(await oauth.authorizationUrl())
    const { key } = await pools[0]!.signIn({ via: 'callback', url })
    const audiences = await Promise.all(
      pools.map((pool) =>
        pool.use(key, async (auth) => {
          const branches = branchesOf(auth)
          for (let round = 0; round < ROUNDS; round++)
            await Promise.all([auth, ...branches].map((each) => each.refresh()))
          // At once: the provider forgets the oldest of a thousand tokens.
          return Promise.all(
            branches.map(async (branch) => (await server.introspect(await branch.getAccessToken()))?.aud),
          )
        }),
      ),
    )
    expect(server.problems).toEqual([])
    expect(audiences).toEqual(Array(3).fill([PAYMENTS, MAIL, API]))
  },
  60_000 + ROUNDS * 1_000,
)

test('a branch ends with the session, and at once', async () => {
  const { server, auth, signIn } = await setUp()
  await signIn()
  const payments = createBranch(auth, { resource: PAYMENTS })
  const url = await startApi(server, PAYMENTS)
  const pay = createAuthFetch(payments, { origins: [url] })
  expect((await pay(url)).status).toBe(200)
  const signedOut = auth.signOut()
  expect(payments.session).toBeUndefined()
  await signedOut
  expect((await pay(url)).status).toBe(401)
  expect(payments.state).toBe('loggedOut')
})

test('a branch for an API that the user was not asked for ends alone, before the refresh token is spent', async () => {
  const { server, auth, signIn } = await setUp()
  await signIn()
  const foreign = createBranch(auth, { resource: 'https://foreign.example.com/' })
  await expect(foreign.getAccessToken()).rejects.toMatchObject({
    code: 'session_expired',
    reason: 'invalid_target',
  })
  await auth.refresh()
  expect(server.problems).toEqual([])
})

test('a branch replaces a token that its API refuses, once for all requests', async () => {
  const { server, auth, signIn, refreshes } = await setUp()
  await signIn()
  const payments = createBranch(auth, { resource: PAYMENTS })
  const url = await startApi(server, PAYMENTS)
  const pay = createAuthFetch(payments, { origins: [url] })
  const token = await payments.getAccessToken()
  await (await server.introspect(token))?.destroy()
  const answers = await Promise.all(Array.from({ length: 20 }, () => pay(url)))
  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect(refreshes()).toBe(2)
})
