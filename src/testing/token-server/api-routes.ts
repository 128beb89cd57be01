import type { ApiHolds } from './api-holds.ts'
import { toBase64 } from './encoding.ts'
import type { Exchange } from './exchange.ts'
import { bearerToken, unreadRequest } from './exchange.ts'
import type { Finding } from './held.ts'
import type { Settings } from './options.ts'
import { ConnectionDropped, challenge, jsonReply, textReply } from './replies.ts'
import { createRouteTable, shortfall, type TokenOwner, type TokenServerRoute } from './routes.ts'
import type { Sessions } from './sessions.ts'
import type { TokenServerRequest } from './types.ts'
import type { Waits } from './waits.ts'

/** Answers a request under `/api/`. Checks the token synchronously unless the route checks late. */
export type ApiRoutes = (exchange: Exchange, request: TokenServerRequest) => Promise<Response>

const echo = ({ request, url, bytes }: Exchange, owner: TokenOwner): Response =>
  jsonReply(200, {
    method: request.method,
    path: url.pathname,
    subject: owner.subject,
    generation: owner.generation,
    body: toBase64(bytes),
    contentType: request.headers.get('content-type'),
  })

const answerOwner = (exchange: Exchange, owner: TokenOwner): Response => {
  switch (exchange.url.pathname) {
    case '/api/empty':
      return textReply(204, '')
    case '/api/always-401':
      return challenge(401, 'invalid_token')
    case '/api/forbidden':
      return challenge(403, 'insufficient_scope', { scope: '"admin"' })
    case '/api/step-up':
      return challenge(401, 'insufficient_user_authentication', { acr_values: '"phr"', max_age: '60' })
    default:
      return echo(exchange, owner)
  }
}

const redirect = (to: string | null): Response =>
  to === null
    ? jsonReply(400, { error: 'There is no "to" parameter' })
    : new Response(null, { status: 302, headers: { location: to } })

type Handler = NonNullable<TokenServerRoute['handler']>

/** A handler that throws is a mistake in a test, which has to see it. */
const answerOf = async (handler: Handler, exchange: Exchange, owner: TokenOwner): Promise<Response> => {
  const { pathname } = exchange.url
  const failed = (how: string): Response =>
    jsonReply(500, { error: 'server_error', error_description: `The handler of ${pathname} ${how}` })
  try {
    const reply = await handler(unreadRequest(exchange), owner)
    // By its shape, for it may come from another implementation.
    if (typeof reply?.headers !== 'object') return failed('gave no Response')
    // Some answers, such as `Response.redirect()`, let nobody change their headers.
    if (reply.type !== 'error') return new Response(reply.body, reply)
  } catch (error) {
    return failed(`threw: ${error}`)
  }
  throw new ConnectionDropped(`The handler of ${pathname} dropped the connection`)
}

export const createApiRoutes = (
  { now, routes }: Settings,
  sessions: Sessions,
  waits: Waits,
  holds: ApiHolds,
  onRefusedToken: () => void,
): ApiRoutes => {
  const routeOf = createRouteTable(routes)

  /** Checks the request as things stand now. Nothing counts before the finding is called. */
  const examine = (exchange: Exchange): Finding => {
    const { pathname, searchParams } = exchange.url
    const route = routeOf(pathname)
    if (pathname === '/api/redirect' && !route) return () => redirect(searchParams.get('to'))
    const token = bearerToken(exchange.request)
    if (token === undefined) return () => challenge(401)
    const owner = sessions.authenticate(token)
    if (!owner) {
      return () => {
        onRefusedToken()
        return challenge(401, 'invalid_token')
      }
    }
    const refusal = route && shortfall(route, owner, now())
    if (refusal) return () => refusal
    const handler = route?.handler
    return () => (handler ? answerOf(handler, exchange, owner) : answerOwner(exchange, owner))
  }

  const answerSlowly = async (exchange: Exchange): Promise<Response> => {
    const { searchParams } = exchange.url
    const ms = Number(searchParams.get('ms') ?? 0)
    if (searchParams.get('check') === 'late') {
      await waits.time(ms)
      return examine(exchange)()
    }
    const reply = examine(exchange)()
    await waits.time(ms)
    return reply
  }

  return async (exchange, request) => {
    const hold = holds.take(request)
    if (hold) {
      const atArrival = examine(exchange)
      return hold.take(request, (verdict) => verdict(atArrival, () => examine(exchange)))
    }
    return exchange.url.pathname === '/api/slow' ? answerSlowly(exchange) : examine(exchange)()
  }
}
