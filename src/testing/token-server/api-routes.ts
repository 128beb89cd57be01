import type { ApiHolds } from './api-holds.ts'
import { toBase64 } from './encoding.ts'
import type { Finding } from './held.ts'
import type { Settings } from './options.ts'
import type { ReceivedRequest } from './received-request.ts'
import { bearerToken, unreadRequest } from './received-request.ts'
import { ConnectionDropped, challenge, jsonReply, textReply } from './replies.ts'
import type { TokenServerRequest } from './requests.ts'
import { createRouteTable, shortfall, type TokenOwner, type TokenServerRoute } from './routes.ts'
import type { Sessions } from './sessions.ts'
import type { Waits } from './waits.ts'

/** Answers a request under `/api/`. It checks the token synchronously, unless the route checks late. */
export type ApiRoutes = (received: ReceivedRequest, request: TokenServerRequest) => Promise<Response>

const echo = ({ request, url, bytes }: ReceivedRequest, owner: TokenOwner): Response =>
  jsonReply(200, {
    method: request.method,
    path: url.pathname,
    subject: owner.subject,
    generation: owner.generation,
    body: toBase64(bytes),
    contentType: request.headers.get('content-type'),
  })

/** Answers a path of the API, without its beginning. */
const answerOwner = (path: string, received: ReceivedRequest, owner: TokenOwner): Response => {
  switch (path) {
    case 'empty':
      return textReply(204, '')
    case 'always-401':
      return challenge(401, 'invalid_token')
    case 'forbidden':
      return challenge(403, 'insufficient_scope', { scope: '"admin"' })
    case 'step-up':
      return challenge(401, 'insufficient_user_authentication', { acr_values: '"phr"', max_age: '60' })
    default:
      return echo(received, owner)
  }
}

const redirect = (to: string | null): Response =>
  to === null
    ? jsonReply(400, { error: 'There is no "to" parameter' })
    : new Response(null, { status: 302, headers: { location: to } })

type Handler = NonNullable<TokenServerRoute['handler']>

/** Answers with a handler of the test. Reports a handler that throws as a 500, so that the test can see its mistake. */
const answerOf = async (
  handler: Handler,
  received: ReceivedRequest,
  owner: TokenOwner,
): Promise<Response> => {
  const { pathname } = received.url
  const failed = (how: string): Response =>
    jsonReply(500, { error: 'server_error', error_description: `The handler of ${pathname} ${how}` })
  try {
    const reply = await handler(unreadRequest(received), owner)
    // Check the shape, not the class: the `Response` may come from another implementation.
    if (typeof reply?.headers !== 'object') return failed('returned no Response')
    // Copy it: the headers of some answers, such as `Response.redirect()`, are immutable.
    if (reply.type !== 'error') return new Response(reply.body, reply)
  } catch (error) {
    return failed(`threw: ${error}`)
  }
  throw new ConnectionDropped(`The handler of ${pathname} dropped the connection`)
}

export const createApiRoutes = (
  { now, routes }: Settings,
  api: string,
  sessions: Sessions,
  waits: Waits,
  holds: ApiHolds,
  onRefusedToken: () => void,
): ApiRoutes => {
  const routeOf = createRouteTable(routes)
  const pathOf = ({ url }: ReceivedRequest) => url.pathname.slice(api.length)

  /** Checks the request against the current state. The counters change only when the finding is called. */
  const examine = (received: ReceivedRequest): Finding => {
    const { pathname, searchParams } = received.url
    const route = routeOf(pathname)
    if (pathOf(received) === 'redirect' && !route) return () => redirect(searchParams.get('to'))
    const token = bearerToken(received.request)
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
    return () =>
      handler ? answerOf(handler, received, owner) : answerOwner(pathOf(received), received, owner)
  }

  const answerSlowly = async (received: ReceivedRequest): Promise<Response> => {
    const { searchParams } = received.url
    const ms = Number(searchParams.get('ms') ?? 0)
    if (searchParams.get('check') === 'late') {
      await waits.time(ms)
      return examine(received)()
    }
    const reply = examine(received)()
    await waits.time(ms)
    return reply
  }

  return async (received, request) => {
    const hold = holds.take(request)
    if (hold) {
      const atArrival = examine(received)
      return hold.take(request, (reply) => reply(atArrival, () => examine(received)))
    }
    return pathOf(received) === 'slow' ? answerSlowly(received) : examine(received)()
  }
}
