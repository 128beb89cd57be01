/** The server behind the example: an OAuth server with an API, in this process. */
import { createTokenServer, type TokenServer, type TokenServerOptions } from 'authchart/testing'

const BOOKS = [
  ['The Left Hand of Darkness', 'Ursula K. Le Guin'],
  ['Invisible Cities', 'Italo Calvino'],
  ['The Summer Book', 'Tove Jansson'],
  ['Solaris', 'Stanisław Lem'],
].map(([title, by], index) => ({ id: index + 1, title, by }))

const done = () => new Response(null, { status: 204 })

/** Creates the server. It accepts any user name with the password `correct`. */
export function createExampleServer(options: TokenServerOptions = {}): TokenServer {
  const server = createTokenServer({
    jwt: true,
    // Tabs share the cookie, and may send it at the same time.
    reuseGrace: 10_000,
    ...options,
    routes: {
      '/api/items': { handler: () => Response.json(BOOKS) },
      '/api/expire-token': {
        handler: () => {
          server.expireAccessTokens()
          return done()
        },
      },
      '/api/end-session': {
        handler: () => {
          server.killRefreshTokens()
          server.expireAccessTokens()
          return done()
        },
      },
    },
  })
  return server
}
