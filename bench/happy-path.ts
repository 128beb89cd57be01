import axios, { type AxiosAdapter } from 'axios'
import { ofetch } from 'ofetch'
import { createAuth } from '../src/index.ts'
import { attachAuth } from '../src/transports/axios.ts'
import { createAuthFetch } from '../src/transports/fetch.ts'
import { createAuthOfetch } from '../src/transports/ofetch.ts'
import { interleave, median } from './statistics.ts'

const ORIGIN = 'https://api.example.com'
const URL_ = `${ORIGIN}/me`

export interface HappyPath {
  readonly transport: string
  readonly bare: number
  readonly session: number
  readonly added: number
}

/** Nanoseconds of one request over a transport that answers at once, alone and under a session. */
export async function measureHappyPath(): Promise<HappyPath[]> {
  const response = new Response(null, { status: 204 })
  const fetch = (() => Promise.resolve(response)) as typeof globalThis.fetch
  const adapter: AxiosAdapter = async (config) => ({
    data: '',
    status: 200,
    statusText: 'OK',
    headers: {},
    config,
  })
  using auth = createAuth({
    refresh: () => Promise.reject(new Error('There is nothing to refresh here')),
    initialTokens: { access_token: 'at', expires_in: 3600 },
  })

  const bareOfetch = ofetch.create({}, { fetch })
  const authFetch = createAuthFetch(auth, { fetch, origins: [ORIGIN] })
  const authOfetch = createAuthOfetch(auth, { fetch, origins: [ORIGIN] })
  const bareAxios = axios.create({ adapter, baseURL: ORIGIN })
  const authAxios = axios.create({ adapter, baseURL: ORIGIN })
  attachAuth(authAxios, auth)

  const pairs: [string, number, () => Promise<unknown>, () => Promise<unknown>][] = [
    ['fetch', 20_000, () => fetch(URL_), () => authFetch(URL_)],
    ['ofetch', 2_000, () => bareOfetch(URL_), () => authOfetch(URL_)],
    ['axios', 2_000, () => bareAxios.get('/me'), () => authAxios.get('/me')],
  ]
  const results: HappyPath[] = []
  for (const [transport, times, bare, session] of pairs) {
    const repeat = (request: () => Promise<unknown>) => async () => {
      for (let i = 0; i < times; i++) await request()
    }
    await interleave(5, repeat(bare), repeat(session))
    const { a, b } = await interleave(25, repeat(bare), repeat(session))
    const added = a.map((time, round) => ((b[round] ?? 0) - time) / times)
    results.push({ transport, bare: median(a) / times, session: median(b) / times, added: median(added) })
  }
  return results
}
