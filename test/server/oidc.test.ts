import { calculateJwkThumbprint, exportJWK, generateKeyPair } from 'jose'
import { expect, onTestFinished, test } from 'vitest'
import { memoryFleet } from '../../src/fleet/memory.ts'
import { createOAuth, dpopProofs, memoryTransactions } from '../../src/oauth2/index.ts'
import { createAuthPool, createBff, keyRing } from '../../src/server/index.ts'
import { APP, CALLBACK, createBrowser, startProvider } from '../oauth2/provider.ts'

const ORIGIN = new URL(CALLBACK).origin
const VISIT = { 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document', 'sec-fetch-site': 'none' }
const PAGE = { 'sec-fetch-mode': 'cors', 'sec-fetch-site': 'same-origin', 'x-csrf': '1' }

test('a user signs in at a real server, two processes refresh once, and the sign-out ends the session there, too', async () => {
  const provider = await startProvider()
  const fleet = memoryFleet()
  const createProcess = () => {
    const oauth = createOAuth({ issuer: provider.url, clientId: APP, redirectUri: CALLBACK })
    const keys = keyRing({ k1: new Uint8Array(32).fill(1) })
    const pool = createAuthPool({ ...oauth.ports, fleet, keys })
    onTestFinished(() => pool.dispose())
    const paths = { callback: new URL(CALLBACK).pathname }
    return { pool, bff: createBff({ pool, oauth, cookie: { secure: false }, paths }) }
  }
  const [one, other] = [createProcess(), createProcess()]
  const cookies = new Map<string, string>()
  const send = async (
    { bff }: typeof one,
    path: string,
    from: Record<string, string>,
    init: RequestInit = {},
  ) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ')
    const answer = await bff.handle(new Request(ORIGIN + path, { ...init, headers: { ...from, cookie } }))
    for (const line of answer?.headers.getSetCookie() ?? []) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? []
      if (/Max-Age=0/.test(line)) cookies.delete(name)
      else cookies.set(name, value)
    }
    return answer as Response
  }

  const away = await send(one, '/auth/sign-in?returnTo=/inbox', VISIT)
  const back = new URL(await createBrowser()(new URL(away.headers.get('location') ?? '')))
  // Another process completes what the first one has begun.
  const signedIn = await send(other, back.pathname + back.search, VISIT)
  expect(signedIn.status).toBe(303)
  expect(signedIn.headers.get('location')).toBe('/inbox')
  const key = cookies.get('session') ?? ''
  expect(await (await send(one, '/auth/session', PAGE)).json()).toMatchObject({
    signedIn: true,
    subject: 'ada',
  })

  // The same answer again, at both processes: the code is not sent twice.
  const again = await Promise.all(
    [one, other].map((process) => send(process, back.pathname + back.search, VISIT)),
  )
  expect(again.map((answer) => answer.headers.get('location'))).toEqual(['/inbox', '/inbox'])
  expect(cookies.get('session')).toBe(key)

  const before = provider.requests.filter((request) => request === 'POST /token').length
  await Promise.all([one, other, one, other].map(({ pool }) => pool.use(key, (auth) => auth.refresh())))
  expect(provider.requests.filter((request) => request === 'POST /token')).toHaveLength(before + 1)
  expect(cookies.get('session')).toBe(key)

  const token = await one.pool.use(key, (auth) => auth.getAccessToken())
  const signedOut = await send(other, '/auth/sign-out', PAGE, { method: 'POST' })
  const { url } = (await signedOut.json()) as { url: string }
  expect(new URL(url).searchParams.get('id_token_hint')).toMatch(/^eyJ/)
  expect(await (await send(one, '/auth/session', PAGE)).json()).toEqual({ signedIn: false })
  // The answer does not wait for the revocation, but `dispose` does.
  await other.pool.dispose()
  expect(await provider.introspect(token)).toBeUndefined()
  expect(provider.problems).toEqual([])
})

test('processes that have one key go on with the sessions of each other if tokens are bound to it', async () => {
  const provider = await startProvider({ requiresDPoP: true })
  const [fleet, transactions] = [memoryFleet(), memoryTransactions()]
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = await exportJWK(privateKey)
  const createProcess = () => {
    const dpop = dpopProofs({ keys: { get: () => jwk as JsonWebKey, add: () => 'exists', remove() {} } })
    const oauth = createOAuth({
      issuer: provider.url,
      clientId: APP,
      redirectUri: CALLBACK,
      dpop,
      transactions,
    })
    const keys = keyRing({ k1: new Uint8Array(32).fill(1) })
    const pool = createAuthPool({ ...oauth.ports, fleet, keys })
    onTestFinished(() => pool.dispose())
    return { pool, oauth }
  }
  const [one, other] = [createProcess(), createProcess()]
  const url = await createBrowser()(await one.oauth.authorizationUrl())
  const { key } = await one.pool.signIn({ via: 'callback', url })

  // The first process has ended meanwhile.
  await one.pool.dispose()
  for (const { pool } of [other, createProcess()]) {
    await pool.use(key, (auth) => auth.refresh())
    const token = await provider.introspect(await pool.use(key, (auth) => auth.getAccessToken()))
    expect(token).toMatchObject({ accountId: 'ada', jkt: await calculateJwkThumbprint(jwk) })
  }
  expect(provider.problems.filter((problem) => !/nonce/.test(problem))).toEqual([])
})
