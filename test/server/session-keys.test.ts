import { ClientSecretBasic } from 'oauth4webapi'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import type { Fleet } from '../../src/fleet/fleet.ts'
import { redisFleet } from '../../src/fleet/redis.ts'
import { createAuth, createBranch, onStepUp } from '../../src/index.ts'
import {
  clientCredentials,
  createOAuth,
  type DPoPOptions,
  dpopProofs,
  memoryTransactions,
  type OAuthOptions,
  stepUp,
} from '../../src/oauth2/index.ts'
import { hashKey } from '../../src/server/hash-key.ts'
import { createAuthPool, fleetSession, keyRing } from '../../src/server/index.ts'
import { openSession } from '../../src/server/session-box.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { REDIS_LINKS } from '../fleet/redis-links.ts'
import { startApi } from '../oauth2/dpop-api.ts'
import { API, APP, CALLBACK, createBrowser, MACHINE, SECRET, startProvider } from '../oauth2/provider.ts'
import { hasRedis, type RedisServer, startRedis } from '../support/redis-server.ts'

const OLD = { old: new Uint8Array(32).fill(1) }
const NEW = { new: new Uint8Array(32).fill(2) }

interface PrivateKey {
  readonly d: string
}

describe.skipIf(!hasRedis)('sessions with a key of their own, in a real Redis', () => {
  let redis: RedisServer
  beforeAll(async () => {
    redis = await startRedis()
  }, 90_000)
  afterAll(() => redis?.stop())

  async function setUp() {
    await redis.command('FLUSHALL')
    const provider = await startProvider({ requiresDPoP: true })
    const api = await startApi(provider)
    const transactions = memoryTransactions()
    const openFleet = async () => {
      const { link, close } = await REDIS_LINKS.ioredis(redis.url)
      onTestFinished(() => void close())
      return redisFleet(link)
    }
    /** Another process: it shares with the others what is in Redis, and the keys that seal it. */
    const createProcess = async (
      secrets: Parameters<typeof keyRing>[0] = OLD,
      dpop: DPoPOptions = {},
      more: Partial<OAuthOptions> = {},
    ) => {
      const oauth = createOAuth({
        issuer: provider.url,
        clientId: APP,
        redirectUri: CALLBACK,
        transactions,
        dpop: dpopProofs({ perSession: true, ...dpop }),
        ...more,
      })
      const keys = keyRing(secrets)
      const fleet = await openFleet()
      const pool = createAuthPool({ ...oauth.ports, fleet, keys })
      onTestFinished(() => pool.dispose())
      const signIn = async (oldKey?: string) => {
        const url = await createBrowser()(await oauth.authorizationUrl())
        return (await pool.signIn({ via: 'callback', url }, oldKey)).key
      }
      const call = (key: string, path: string) =>
        pool.use(
          key,
          async (auth) => (await createAuthFetch(auth, { origins: [api.url] })(api.url + path)).status,
        )
      const refresh = (key: string) => pool.use(key, (auth) => auth.refresh())
      const token = (key: string) =>
        pool.use(key, async (auth) => provider.introspect(await auth.getAccessToken()))
      const keyOf = async (key: string) => {
        const hash = await hashKey(key)
        const stored = await fleet.read(hash)
        return stored && ((await openSession(keys, hash, stored)).proofKey as PrivateKey)
      }
      return { oauth, pool, fleet, signIn, call, refresh, token, keyOf }
    }
    const refusals = () => provider.problems.filter((problem) => !/nonce/.test(problem))
    return { provider, api, openFleet, createProcess, refusals }
  }

  /** Everything that Redis holds, as text. */
  async function dump(): Promise<string> {
    const names = (await redis.command('KEYS', '*')) as string[]
    const values = await Promise.all(
      names.map(async (name) => {
        const type = await redis.command('TYPE', name)
        if (type === 'hash') return redis.command('HGETALL', name)
        if (type === 'set') return redis.command('SMEMBERS', name)
        if (type === 'zset') return redis.command('ZRANGE', name, '0', '-1')
        return redis.command('GET', name)
      }),
    )
    return JSON.stringify([names, values])
  }

  test('two processes refresh and use one session by turns, also after a restart of both', async () => {
    const { createProcess, refusals } = await setUp()
    const [one, other] = [await createProcess(), await createProcess()]
    const key = await one.signIn()
    const first = await one.token(key)
    for (const process of [other, one, other]) {
      await process.refresh(key)
      expect(await process.call(key, '/me')).toBe(200)
      expect(await process.token(key)).toMatchObject({ accountId: 'ada', jkt: first?.jkt })
    }
    // Both at once: one refresh, whose token both can prove.
    await Promise.all([one.refresh(key), other.refresh(key)])
    expect(await Promise.all([one.call(key, '/a'), other.call(key, '/b')])).toEqual([200, 200])

    await Promise.all([one.pool.dispose(), other.pool.dispose()])
    const restarted = await createProcess()
    await restarted.refresh(key)
    expect(await restarted.call(key, '/me')).toBe(200)
    expect(await restarted.token(key)).toMatchObject({ jkt: first?.jkt })
    expect(refusals()).toEqual([])
  })

  test('each session has another key, and what Redis holds shows none of them', async () => {
    const { createProcess } = await setUp()
    const { signIn, token, keyOf } = await createProcess()
    const keys = [await signIn(), await signIn()]
    const thumbprints = await Promise.all(keys.map(async (key) => (await token(key))?.jkt))
    expect(new Set(thumbprints).size).toBe(2)
    const stored = await dump()
    for (const key of keys) {
      const { d } = (await keyOf(key)) as PrivateKey
      expect(d).toMatch(/^[\w-]{43}$/)
      expect(stored).not.toContain(d)
    }
    expect(stored).not.toMatch(/P-256|crv|proofKey/)
  })

  test('a change of the sealing keys covers the key of the session', async () => {
    const { createProcess, refusals } = await setUp()
    const before = await createProcess(OLD)
    const key = await before.signIn()
    const own = await before.keyOf(key)
    await before.pool.dispose()

    const during = await createProcess({ ...NEW, ...OLD })
    expect(await during.pool.reseal()).toBe(1)
    await during.pool.dispose()

    const after = await createProcess(NEW)
    expect(await after.keyOf(key)).toEqual(own)
    await after.refresh(key)
    expect(await after.call(key, '/me')).toBe(200)
    expect(refusals()).toEqual([])
  })

  test('a step-up goes on with the session in all processes', async () => {
    const { createProcess, refusals } = await setUp()
    const [one, other] = [await createProcess(), await createProcess()]
    const key = await one.signIn()
    expect(await other.call(key, '/me')).toBe(200)

    const status = await one.pool.use(key, (auth) => {
      const ask = stepUp(one.oauth, async (request) => {
        const url = await createBrowser()(await one.oauth.authorizationUrl(request))
        return { via: 'callback', url }
      })
      onTestFinished(onStepUp(auth, ask))
      return one.call(key, '/mfa')
    })

    expect(status).toBe(200)
    await other.refresh(key)
    for (const process of [one, other]) expect(await process.call(key, '/mfa')).toBe(200)
    await one.refresh(key)
    expect(await other.call(key, '/me')).toBe(200)
    expect(refusals()).toEqual([])
  })

  test('a second sign-in has another key, and the first session ends with its own', async () => {
    const { createProcess } = await setUp()
    const [one, other] = [await createProcess(), await createProcess()]
    const first = await one.signIn()
    const before = await one.token(first)
    expect(await other.call(first, '/me')).toBe(200)

    const second = await other.signIn(first)

    await expect(one.call(first, '/me')).rejects.toMatchObject({ code: 'signed_out' })
    await one.refresh(second)
    expect(await one.call(second, '/me')).toBe(200)
    expect((await one.token(second))?.jkt).not.toBe(before?.jkt)
  })

  test('a code that two sign-ins redeem at once belongs to the last one, with the key of its tokens', async () => {
    const { createProcess } = await setUp()
    const { oauth, pool, call, refresh } = await createProcess()
    const url = await createBrowser()(await oauth.authorizationUrl())
    const signIns = [1, 2].map(() => pool.signIn({ via: 'callback', url }))
    const [lost, won] = await Promise.allSettled(signIns)
    expect(lost?.status).toBe('rejected')
    const { key } = (won as PromiseFulfilledResult<{ key: string }>).value
    expect(await call(key, '/me')).toBe(200)
    await refresh(key)
    expect(await call(key, '/me')).toBe(200)
  })

  test('a branch proves with the key of its session', async () => {
    const { api, createProcess } = await setUp()
    const payments = 'https://payments.example.com/'
    const { signIn, pool } = await createProcess(OLD, {}, { resource: API, branchResource: payments })
    const key = await signIn()
    await pool.use(key, async (auth) => {
      const branch = createBranch(auth, { resource: payments })
      onTestFinished(() => branch.dispose())
      const fetchApi = createAuthFetch(branch, { origins: [api.url] })
      expect((await fetchApi(`${api.url}/branch`)).status).toBe(200)
      await branch.refresh()
      expect((await fetchApi(`${api.url}/branch`)).status).toBe(200)
    })
  })

  test('sessions from before, whose key is in the configuration, go on with it', async () => {
    const { createProcess, refusals } = await setUp()
    const { proofKey } = await dpopProofs({ perSession: true }).forSession(undefined, async () => ({}))
    const keys = { get: () => proofKey as JsonWebKey, add: () => 'exists' as const, remove() {} }
    const old = await createProcess(OLD, { perSession: false, keys })
    const before = await old.signIn()
    const jkt = (await old.token(before))?.jkt
    await old.pool.dispose()

    const updated = await createProcess(OLD, { keys })
    await updated.refresh(before)
    expect(await updated.call(before, '/me')).toBe(200)
    expect(await updated.token(before)).toMatchObject({ jkt })
    const next = await updated.signIn()
    expect((await updated.token(next))?.jkt).not.toBe(jkt)
    expect(refusals()).toEqual([])
  })

  test('the session of a service has one key in all processes, and each can get the next token', async () => {
    const { provider, api, openFleet } = await setUp()
    const open = (fleet: Fleet) => {
      const ports = clientCredentials({
        issuer: provider.url,
        clientId: MACHINE,
        clientAuth: ClientSecretBasic(SECRET),
        dpop: dpopProofs({ perSession: true }),
      })
      const auth = createAuth({ ...ports, ...fleetSession({ fleet, key: 'billing', keys: keyRing(OLD) }) })
      onTestFinished(() => auth.dispose())
      return { auth, call: async () => (await createAuthFetch(auth, { origins: [api.url] })(api.url)).status }
    }
    const one = open(await openFleet())
    expect(await one.call()).toBe(200)
    const other = open(await openFleet())
    await other.auth.ready()
    expect(await other.auth.getAccessToken()).toBe(await one.auth.getAccessToken())
    expect(await other.call()).toBe(200)
    await other.auth.refresh()
    expect(await other.call()).toBe(200)
    expect(await one.call()).toBe(200)
  })
})
