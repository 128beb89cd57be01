/** Servers without a network: their answers are known before they are asked, so that only the clients are measured. */
import type { AxiosAdapter, AxiosStatic } from 'axios'
import type { Adapter, Handle, PeerWorld, TokenAnswer } from '../scoreboard/types.ts'

const JSON_TEXT = JSON.stringify({ subject: 'ada', roles: ['admin', 'author'], unread: 3 })
const JSON_HEADERS = { 'content-type': 'application/json' }
const HOUR = 3_600

export interface StubServer {
  readonly world: PeerWorld
  /** Answers again. `expired`: whether tokens of a sign-in have expired already. */
  reset(expired: boolean): void
  /** From now on, the API rejects the tokens issued so far, and the token endpoint waits for `release`. */
  hold(): { readonly arrived: Promise<void>; release(): void }
  /** Answers a request of the API: its status. */
  api(authorization: string | null | undefined): number
  /** Answers any other request. */
  readonly other: Handle
}

const servers = new Map<string, StubServer>()

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token that libraries can read if they want to. */
const jwt = (generation: number, lifetime: number) => {
  const iat = Math.floor(Date.now() / 1000)
  return [{ alg: 'none' }, { sub: 'ada', iat, exp: iat + lifetime, generation }, 'none']
    .map(base64url)
    .join('.')
}

export function openStubServer(origin: string, adapter: Adapter): StubServer {
  let expired = false
  let generation = 0
  let accepted = ''
  let gate: Promise<void> | undefined
  let arrive: () => void = () => {}

  const issue = (lifetime = HOUR): TokenAnswer => {
    generation += 1
    accepted = jwt(generation, lifetime)
    return {
      access_token: accepted,
      refresh_token: `rt-${generation}`,
      expires_in: lifetime,
      token_type: 'Bearer',
    }
  }
  const signIn = () => issue(expired ? -60 : HOUR)

  const forward: Handle = async (request) => {
    const body = new URLSearchParams(await request.text())
    if (body.get('grant_type') !== 'refresh_token') return Response.json(signIn())
    arrive()
    await gate
    return Response.json(issue())
  }

  const world: PeerWorld = {
    origin,
    get expired() {
      return expired
    },
    issue: signIn,
  }
  const server: StubServer = {
    world,
    reset(next) {
      expired = next
      gate = undefined
    },
    hold() {
      accepted = ''
      let release: () => void = () => {}
      gate = new Promise((resolve) => {
        release = resolve
      })
      return {
        arrived: new Promise((resolve) => {
          arrive = resolve
        }),
        release,
      }
    },
    api: (authorization) => (!gate || authorization === `Bearer ${accepted}` ? 200 : 401),
    other: adapter.backend?.(forward, world) ?? forward,
  }
  servers.set(origin, server)
  return server
}

export const closeStubServer = ({ world }: StubServer): void => {
  servers.delete(world.origin)
}

const serverFor = (url: string): StubServer => {
  const end = url.indexOf('/', 'https://'.length)
  const server = servers.get(end < 0 ? url : url.slice(0, end))
  if (!server) throw new TypeError(`No stub server for ${url}`)
  return server
}

/** What takes the place of the global `fetch`. */
export const stubFetch: typeof globalThis.fetch = async (input, init) => {
  const url = typeof input === 'string' ? input : input instanceof URL ? input.href : input.url
  const server = serverFor(url)
  if (!url.startsWith('/api/', server.world.origin.length)) return server.other(new Request(input, init))
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : {}))
  const status = server.api(headers.get('authorization'))
  return new Response(JSON_TEXT, { status, headers: JSON_HEADERS })
}

const stubAdapter: AxiosAdapter = async (config) => {
  const { baseURL = '', url = '' } = config
  const server = serverFor(baseURL || url)
  const answer = { data: JSON_TEXT, status: 200, statusText: '', headers: { ...JSON_HEADERS }, config }
  if (!baseURL) {
    const response = await server.other(new Request(url, { method: 'POST', body: String(config.data) }))
    return { ...answer, data: await response.text() }
  }
  const status = server.api(config.headers.get('authorization') as string | undefined)
  if (status === 200) return answer
  // The error that the adapters of axios give.
  throw Object.assign(new Error(`Request failed with status code ${status}`), {
    isAxiosError: true,
    config,
    response: { ...answer, status },
  })
}

/** Lets all instances of this copy of axios send to the stub servers. */
export const stubAxios = (axios: Pick<AxiosStatic, 'defaults'>): void => {
  axios.defaults.adapter = stubAdapter
}
