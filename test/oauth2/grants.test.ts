import { ClientSecretBasic, ClientSecretPost } from 'oauth4webapi'
import { expect, onTestFinished, test } from 'vitest'
import { listen } from '../../examples/demo/listen.ts'
import { createAuth } from '../../src/index.ts'
import { clientCredentials, createOAuth, memoryTransactions, tokenExchange } from '../../src/oauth2/index.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import {
  API,
  APP,
  CALLBACK,
  createBrowser,
  MACHINE,
  SECRET,
  startProvider,
  type TestProvider,
} from './provider.ts'

const machine = (server: TestProvider) => ({
  issuer: server.url,
  clientId: MACHINE,
  clientAuth: ClientSecretBasic(SECRET),
})

/** An API that takes tokens of client credentials. */
async function startApi(server: TestProvider) {
  const { url, close } = await listen(async (request, response) => {
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? ''
    const found = await server.provider.ClientCredentials.find(token)
    response
      .writeHead(found ? 200 : 401)
      .end(JSON.stringify({ client: found?.clientId, extra: found?.extra }))
  })
  onTestFinished(close)
  return url
}

test('a machine gets a token by its own credentials, and another one when that has been revoked', async () => {
  const server = await startProvider()
  const auth = createAuth(clientCredentials({ ...machine(server), scope: 'read', resource: API }))
  onTestFinished(() => auth.dispose())
  const api = await startApi(server)
  const send = createAuthFetch(auth, { origins: [api] })

  expect((await send(api)).status).toBe(200)
  const token = await auth.getAccessToken()
  const found = await server.provider.ClientCredentials.find(token)
  expect(found).toMatchObject({ clientId: MACHINE, scope: 'read', aud: API })
  await found?.destroy()
  const answers = await Promise.all(Array.from({ length: 20 }, () => send(api)))

  expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
  expect(server.requests.filter((request) => request === 'POST /token')).toHaveLength(2)
})

test('a machine with a wrong secret has no session', async () => {
  const server = await startProvider()
  const auth = createAuth(clientCredentials({ ...machine(server), clientAuth: ClientSecretPost('wrong') }))
  onTestFinished(() => auth.dispose())
  await expect(auth.getAccessToken()).rejects.toMatchObject({ code: 'signed_out' })
})

test("a user's token is exchanged for one for another service, and that session ends with the user's", async () => {
  const server = await startProvider()
  const oauth = createOAuth({
    issuer: server.url,
    clientId: APP,
    redirectUri: CALLBACK,
    transactions: memoryTransactions(),
  })
  const auth = createAuth(oauth.ports)
  onTestFinished(() => auth.dispose())
  await auth.signIn({
    via: 'callback',
    url: await createBrowser()(await oauth.authorizationUrl({ loginHint: 'grace' })),
  })
  const exchanged = createAuth(tokenExchange(auth, { ...machine(server), audience: 'payments' }))
  onTestFinished(() => exchanged.dispose())
  const api = await startApi(server)

  const answer = await createAuthFetch(exchanged, { origins: [api] })(api)
  expect(await answer.json()).toEqual({ client: MACHINE, extra: { audience: 'payments', subject: 'grace' } })
  await auth.signOut()

  await expect(exchanged.refresh()).rejects.toMatchObject({
    code: 'session_expired',
    reason: 'invalid_grant',
  })
})
