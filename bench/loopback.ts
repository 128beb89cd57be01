import { fork } from 'node:child_process'
import { once } from 'node:events'
import axios from 'axios'
import { ofetch } from 'ofetch'
import { createAuth } from '../src/index.ts'
import { attachAuth } from '../src/transports/axios.ts'
import { createAuthFetch } from '../src/transports/fetch.ts'
import { createAuthOfetch } from '../src/transports/ofetch.ts'
import { interleave, median } from './statistics.ts'

export interface Loopback {
  readonly transport: string
  readonly bare: number
  readonly session: number
  readonly ratio: number
}

const REQUESTS = 200

/**
 * Measures the same GET requests over real HTTP, one after another: by the bare client with an `Authorization` header set by
 * hand, and under a session.
 */
export async function measureLoopback(): Promise<Loopback[]> {
  const server = fork(new URL('./server.mjs', import.meta.url), { stdio: 'inherit' })
  const [origin] = (await once(server, 'message')) as [string]
  try {
    using auth = createAuth({
      refresh: () => Promise.reject(new Error('There is nothing to refresh here')),
      initialTokens: { access_token: 'at', expires_in: 3600 },
    })
    const url = `${origin}/me`
    const headers = { authorization: 'Bearer at' }
    const authFetch = createAuthFetch(auth, { origins: [origin] })
    const authOfetch = createAuthOfetch(auth, { origins: [origin] })
    const bareAxios = axios.create({ baseURL: origin })
    const authAxios = axios.create({ baseURL: origin })
    attachAuth(authAxios, auth)

    const pairs: [string, () => Promise<unknown>, () => Promise<unknown>][] = [
      ['fetch', () => fetch(url, { headers }).then(text), () => authFetch(url).then(text)],
      ['ofetch', () => ofetch(url, { headers }), () => authOfetch(url)],
      ['axios', () => bareAxios.get('/me', { headers }), () => authAxios.get('/me')],
    ]
    const results: Loopback[] = []
    for (const [transport, bare, session] of pairs) {
      const repeat = (request: () => Promise<unknown>) => async () => {
        for (let i = 0; i < REQUESTS; i++) await request()
      }
      await interleave(5, repeat(bare), repeat(session))
      const { a, b } = await interleave(41, repeat(bare), repeat(session))
      const ratio = median(a.map((time, round) => (b[round] ?? 0) / time))
      results.push({ transport, bare: median(a) / REQUESTS, session: median(b) / REQUESTS, ratio })
    }
    return results
  } finally {
    server.kill()
  }
}

const text = (response: Response) => response.text()
