import axios, { type AxiosAdapter, type AxiosInstance } from 'axios'
import { ofetch } from 'ofetch'
import { createAuth } from '../src/index.ts'
import { attachAuth } from '../src/transports/axios.ts'
import { createAuthFetch } from '../src/transports/fetch.ts'
import { createAuthOfetch } from '../src/transports/ofetch.ts'
import { comparePerCall } from './statistics.ts'

const ORIGIN = 'https://api.example.com'
const JSON_TEXT = JSON.stringify({ subject: 'ada', roles: ['admin', 'author'], unread: 3 })
const RESPONSE_HEADERS = { 'content-type': 'application/json' }

export interface HappyPath {
  readonly transport: string
  /** Nanoseconds of one request. */
  readonly bare: number
  readonly session: number
  readonly added: number
}

/**
 * Measures one request as apps send it, with the bare client and under a signed-in session: a path, headers of the
 * caller's own, and a new `Response` that is read as JSON. The network is a stub.
 */
export async function measureHappyPath(rounds = 300): Promise<HappyPath[]> {
  // Every `fetch` reads its URL. Otherwise the bare side would not pay for joining the texts it is made of.
  const fetch: typeof globalThis.fetch = (url) =>
    Promise.resolve(
      new Response(String(url).endsWith('/me') ? JSON_TEXT : null, { headers: RESPONSE_HEADERS }),
    )
  const adapter: AxiosAdapter = async (config) => {
    const response = new Response(JSON_TEXT, { headers: RESPONSE_HEADERS })
    return {
      data: await response.text(),
      status: response.status,
      statusText: response.statusText,
      headers: { ...RESPONSE_HEADERS },
      config,
    }
  }
  const auth = createAuth({
    refresh: () => Promise.reject(new Error('No refresh is expected in this bench')),
    initialTokens: { access_token: 'at', expires_in: 3600 },
  })
  const attached = (instance: AxiosInstance) => {
    attachAuth(instance, auth)
    return instance
  }
  const stubAdapter = { adapter, baseURL: ORIGIN }
  const fetchAdapter = { adapter: 'fetch', env: { fetch }, baseURL: ORIGIN }
  const readJSON = (response: Response): Promise<unknown> => response.json()

  const authFetch = createAuthFetch(auth, { fetch, origins: [ORIGIN] })
  const pairs: Pair[] = [
    // `fetch` has no base URL, so apps join it with the path.
    pair('fetch', fetch, authFetch, (client, path, headers) =>
      client(ORIGIN + path, { headers }).then(readJSON),
    ),
    pair(
      'ofetch',
      ofetch.create({ baseURL: ORIGIN }, { fetch }),
      createAuthOfetch(auth, { fetch, defaults: { baseURL: ORIGIN } }),
      (client, path, headers) => client(path, { headers }),
    ),
    pair('axios, stub adapter', axios.create(stubAdapter), attached(axios.create(stubAdapter)), getByAxios),
    pair(
      'axios, fetch adapter',
      axios.create(fetchAdapter),
      attached(axios.create(fetchAdapter)),
      getByAxios,
    ),
  ]
  const results: HappyPath[] = []
  for (const { transport, calls, bare, session } of pairs) {
    const { other, ...figures } = await comparePerCall(rounds, calls, bare, session)
    results.push({ transport, session: other, ...figures })
  }
  auth.dispose()
  return results
}

const getByAxios = (instance: AxiosInstance, path: string, headers: Record<string, string>) =>
  instance.get(path, { headers })

interface Pair {
  readonly transport: string
  readonly calls: number
  readonly bare: () => Promise<void>
  readonly session: () => Promise<void>
}

/** Repeats the same request over two clients. Each call has a new headers object, as a call in an app has. */
function pair<Client>(
  transport: string,
  bare: Client,
  session: Client,
  request: (client: Client, path: string, headers: Record<string, string>) => Promise<unknown>,
  calls = 200,
): Pair {
  const repeat = (client: Client) => async () => {
    for (let i = 0; i < calls; i++)
      await request(client, '/me', { accept: 'application/json', 'x-request-id': 'a1b2c3' })
  }
  return { transport, calls, bare: repeat(bare), session: repeat(session) }
}
