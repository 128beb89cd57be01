import { onTestFinished } from 'vitest'
import type { Auth } from '../../src/core/auth.ts'
import type { AuthOptions, RefreshRequest } from '../../src/core/options.ts'
import type { Fleet, StoredSession } from '../../src/fleet/fleet.ts'
import { memoryFleet } from '../../src/fleet/memory.ts'
import { createAuth } from '../../src/index.ts'
import { fleetSession } from '../../src/server/fleet-session.ts'
import { keyRing } from '../../src/server/key-ring.ts'
import { createAuthPool } from '../../src/server/pool.ts'
import type { AuthPool, AuthPoolOptions } from '../../src/server/pool-types.ts'
import type { TokenServerOptions } from '../../src/testing/token-server/options.ts'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'

/** WebCrypto works on threads of its own, for which a virtual clock does not wait. */
let inFlight = 0
const subtle = Object.getPrototypeOf(crypto.subtle) as Record<
  string,
  (...args: unknown[]) => Promise<unknown>
>
for (const name of ['digest', 'encrypt', 'decrypt', 'importKey', 'deriveKey']) {
  const original = subtle[name]
  subtle[name] = function (this: unknown, ...args) {
    inFlight++
    return Reflect.apply(original as () => Promise<unknown>, this, args).finally(() => inFlight--)
  }
}

/** Resolves when nothing happens any more unless time passes. */
export async function quiet(): Promise<void> {
  for (let rounds = 0; rounds < 3; rounds = inFlight === 0 ? rounds + 1 : 0)
    await new Promise((resolve) => setImmediate(resolve))
}

export const KEYS = keyRing({ k1: new Uint8Array(32).fill(1) })

export interface SignIn {
  readonly username: string
}

/** Names of methods of a fleet. */
type Method = Exclude<keyof Fleet, 'lease' | 'notifies' | 'subscribe'>

/** A memory fleet whose content, calls and failures the test controls. */
function testFleet(options: { now: () => number; notifies?: boolean }) {
  const inner = memoryFleet({ now: options.now })
  const stored = new Map<string, StoredSession>()
  const calls: Method[] = []
  let down = false
  let silent = false
  const counted = (name: Method) =>
    (async (...args: unknown[]) => {
      calls.push(name)
      if (silent) await new Promise(() => {})
      if (down) throw new Error('connect ECONNREFUSED redis://user:SECRET@db')
      const result = await (inner[name] as (...args: unknown[]) => Promise<unknown>)(...args)
      if (name === 'replace' && result === 'written') stored.set(args[0] as string, args[1] as StoredSession)
      if (name === 'remove') stored.delete(args[0] as string)
      return result
    }) as never
  const fleet: Fleet = {
    lease: inner.lease,
    notifies: options.notifies ?? true,
    read: counted('read'),
    readStart: counted('readStart'),
    replace: counted('replace'),
    remove: counted('remove'),
    find: counted('find'),
    readLastUse: counted('readLastUse'),
    writeLastUse: counted('writeLastUse'),
    acquire: counted('acquire'),
    present: counted('present'),
    release: counted('release'),
    publish: counted('publish'),
    subscribe: (key, hear) => (options.notifies === false ? () => {} : inner.subscribe(key, hear)),
  }
  return {
    fleet,
    inner,
    /** What is stored, by key. */
    stored,
    calls,
    count: (name: Method) => calls.filter((call) => call === name).length,
    set down(value: boolean) {
      down = value
    },
    /** Its connections are open, but calls that begin meanwhile are never answered. */
    set silent(value: boolean) {
      silent = value
    },
  }
}

/** A token server with reuse detection, a fleet, and processes that share a session in it, all on one virtual clock. */
export function createWorld(options: TokenServerOptions & { notifies?: boolean } = {}) {
  const { notifies = true, ...more } = options
  const clock = createVirtualClock()
  const server = createTokenServer({ clock, accessTokenLifetime: 60_000, ...more })
  const database = testFleet({ now: clock.now, notifies })

  const post = async (path: string, fields: Record<string, string>, signal?: AbortSignal) => {
    const body = new URLSearchParams(fields)
    const response = await server.fetch(path, { method: 'POST', body, ...(signal && { signal }) })
    if (!response.ok) throw response
    return response.status === 204 || path === '/revoke' ? response : response.json()
  }
  const refresh = ({ refreshToken = '', signal }: RefreshRequest) =>
    post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }, signal as AbortSignal)
  const functions = {
    refresh,
    signIn: ({ username }: SignIn) => post('/session', { username, password: 'correct' }),
    revoke: ({
      refreshToken = '',
      accessToken = '',
    }: {
      refreshToken?: string | undefined
      accessToken?: string
    }) => post('/revoke', { token: refreshToken || accessToken }),
  }

  /** Another process that shares a session. */
  function open(key = 'service', given: Partial<AuthOptions> = {}, keys = KEYS): Auth {
    const auth = createAuth({
      ...functions,
      clock,
      ...fleetSession({ fleet: database.fleet, key, keys, clock }),
      ...given,
    } as AuthOptions) as Auth
    onTestFinished(() => auth.dispose())
    return auth
  }
  /** Advances the time from timer to timer, and waits for all that each of them causes. */
  async function pass(ms: number): Promise<void> {
    let left = ms
    await quiet()
    while (clock.nextIn !== undefined && clock.nextIn <= left) {
      left -= clock.nextIn
      await clock.advance(clock.nextIn)
      await quiet()
    }
    await clock.advance(left)
    await quiet()
  }

  /** The pool of another process. */
  function pool(
    given: Partial<AuthPoolOptions<SignIn>> = {},
    world: { fleet?: Fleet } = {},
  ): AuthPool<SignIn> {
    const made = createAuthPool<SignIn>({
      ...functions,
      clock,
      fleet: world.fleet ?? database.fleet,
      keys: KEYS,
      ...given,
    })
    onTestFinished(async () => {
      database.down = false
      database.silent = false
      const disposed = made.dispose()
      await pass(40_000)
      await disposed
    })
    return made
  }

  return { clock, server, database, functions, open, pool, pass }
}
