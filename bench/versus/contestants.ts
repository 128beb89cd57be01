import axios from 'axios'
import { type Authchart, authchartAdapters } from '../scoreboard/adapters/authchart.ts'
import { requestByAxios, requestByFetch } from '../scoreboard/clients.ts'
import { peers } from '../scoreboard/peers.ts'
import type { Adapter, Peer, PeerClient } from '../scoreboard/types.ts'
import { type ClientKind, clientOf } from './client-of.ts'
import { closeStubServer, openStubServer, type StubServer, stubAxios, stubFetch } from './stub-network.ts'

/** The production build, as bundlers take it. */
async function built(): Promise<Authchart> {
  const load = (entry: string) => import(new URL(`../../dist/production/${entry}.js`, import.meta.url).href)
  try {
    const { createAuth } = await load('index')
    const { createAuthFetch } = await load('fetch')
    const { attachAuth } = await load('axios')
    return { createAuth, createAuthFetch, attachAuth }
  } catch (cause) {
    throw new Error('authchart is measured as built. Run npm run build first.', { cause })
  }
}

let authchart: ReturnType<typeof authchartAdapters> | undefined

async function adapterOf({ name, adapter }: Peer): Promise<Adapter> {
  if (name.startsWith('authchart/')) {
    authchart ??= authchartAdapters(await built())
    return authchart[clientOf({ name })]
  }
  const [file = ''] = adapter.split('#')
  return (await import(new URL(file, new URL('../scoreboard/', import.meta.url)).href)).adapter
}

/** Replaces the network of this process by stubs. */
export async function withoutNetwork(): Promise<void> {
  globalThis.fetch = stubFetch
  stubAxios(axios)
  // The peers have a copy of axios of their own.
  const own = new URL('../peers/node_modules/axios/index.js', import.meta.url).href
  stubAxios((await import(own)).default)
}

export interface Opened {
  readonly client: PeerClient
  readonly server: StubServer
  close(): void
}

/** Libraries whose session belongs to the module, so that a process has one. */
const ONE_FOR_EACH_PROCESS = ['axios-refresh-me', 'axios-jwt', 'supertokens-website']

export const isShared = ({ name }: Pick<Peer, 'name'>): boolean => ONE_FOR_EACH_PROCESS.includes(name)

const shared = new Map<Peer, Opened>()
let opened = 0

/** Opens a signed-in session of a peer; of a library with one session for each process, the same one again. */
export async function openPeer(peer: Peer, expired = false): Promise<Opened> {
  const session = shared.get(peer) ?? (await create(peer))
  if (isShared(peer)) shared.set(peer, session)
  session.server.reset(expired)
  await session.client.signIn('ada')
  return session
}

async function create(peer: Peer): Promise<Opened> {
  const adapter = await adapterOf(peer)
  const server = openStubServer(`https://api-${++opened}.example.com`, adapter)
  const client = await adapter.open(server.world, {})
  // A library that patches the global `fetch` keeps its own. The others must not pay for it.
  globalThis.fetch = stubFetch
  return {
    client,
    server,
    close() {
      if (isShared(peer)) return
      client.close?.()
      closeStubServer(server)
    },
  }
}

/** The client alone, sending to a server of its own. */
export function openBare(kind: ClientKind): Pick<PeerClient, 'request'> {
  const { world } = openStubServer(`https://bare-${kind}.example.com`, { open: () => Promise.reject() })
  if (kind === 'fetch') {
    return { request: requestByFetch(world.origin, (url, init) => globalThis.fetch(url, init)) }
  }
  return { request: requestByAxios(axios.create({ baseURL: world.origin })) }
}

/** Libraries that pretend to run in a browser come last, because others look for a page. */
export const inOrder: readonly Peer[] = [...peers].sort(
  (one, other) => Number(isForBrowsers(one)) - Number(isForBrowsers(other)),
)

function isForBrowsers({ name }: Peer): boolean {
  return ['supertokens-website', 'oidc-client-ts', 'auth0-spa-js'].includes(name)
}
