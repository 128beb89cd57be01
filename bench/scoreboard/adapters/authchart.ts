import axios from 'axios'
import { type Auth, createAuth, type TokenResponse } from '../../../src/index.ts'
import { attachAuth } from '../../../src/transports/axios.ts'
import { createAuthFetch } from '../../../src/transports/fetch.ts'
import { refreshByFetch, requestByAxios, requestByFetch } from '../clients.ts'
import type { Adapter, PeerClient, PeerWorld } from '../types.ts'

interface Credentials {
  readonly user: string
}

/** The parts of the package that the adapters use: from the sources, or as built. */
export interface Authchart {
  readonly createAuth: typeof createAuth
  readonly createAuthFetch: typeof createAuthFetch
  readonly attachAuth: typeof attachAuth
}

const createSession = (
  authchart: Authchart,
  { origin, issue }: PeerWorld,
  initialTokens?: TokenResponse,
): Auth<Credentials> =>
  authchart.createAuth<Credentials>({
    refresh: async ({ refreshToken = '', signal }) => {
      const response = await refreshByFetch(origin, refreshToken, signal)
      if (!response.ok) throw response
      return response.json()
    },
    signIn: ({ user }) => ({ ...issue(user), subject: user }),
    ...(initialTokens && { initialTokens }),
  })

const open =
  (
    authchart: Authchart,
    connect: (auth: Auth<Credentials>, origin: string) => PeerClient['request'],
  ): Adapter['open'] =>
  (world) => {
    let auth: Auth<Credentials> | undefined
    let send: PeerClient['request'] | undefined
    const start = (tokens?: TokenResponse) => {
      auth = createSession(authchart, world, tokens)
      send = connect(auth, world.origin)
      return auth
    }
    let tokens: TokenResponse | undefined
    return {
      async signIn(user) {
        // A session that starts with expired tokens refreshes them at once. So it starts with its first request.
        if (world.expired) tokens = { ...world.issue(user), subject: user }
        else await (auth ?? start(tokens)).signIn({ user })
      },
      async request(path, init) {
        if (!send) start(tokens)
        return send!(path, init)
      },
      signOut: async () => (auth ?? start(tokens)).signOut(),
      close: () => auth?.dispose(),
    }
  }

/** authchart over fetch and over axios, set up as its documentation says. */
export const authchartAdapters = (authchart: Authchart): { fetch: Adapter; axios: Adapter } => ({
  fetch: {
    open: open(authchart, (auth, origin) =>
      requestByFetch(origin, authchart.createAuthFetch(auth, { origins: [origin] })),
    ),
  },
  axios: {
    open: open(authchart, (auth, origin) => {
      const api = axios.create({ baseURL: origin })
      authchart.attachAuth(api, auth)
      return requestByAxios(api)
    }),
  },
})

const adapters = authchartAdapters({ createAuth, createAuthFetch, attachAuth })
export const authchartFetch = adapters.fetch
export const authchartAxios = adapters.axios
