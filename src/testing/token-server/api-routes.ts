import type { Delays } from './delays.ts'
import { toBase64 } from './encoding.ts'
import type { Exchange } from './exchange.ts'
import { bearerToken } from './exchange.ts'
import { challenge, jsonReply, textReply } from './replies.ts'
import type { Sessions } from './sessions.ts'

interface Owner {
  readonly subject: string
  readonly generation: number
}

/** Answers a request under `/api/`. Checks the token synchronously unless the route checks late. */
export type ApiRoutes = (exchange: Exchange) => Promise<Response>

const echo = ({ request, url, bytes }: Exchange, owner: Owner): Response =>
  jsonReply(200, {
    method: request.method,
    path: url.pathname,
    subject: owner.subject,
    generation: owner.generation,
    body: toBase64(bytes),
    contentType: request.headers.get('content-type'),
  })

const answerOwner = (exchange: Exchange, owner: Owner): Response => {
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

export const createApiRoutes = (
  sessions: Sessions,
  delays: Delays,
  onRefusedToken: () => void,
): ApiRoutes => {
  const checked = (exchange: Exchange): Response => {
    const token = bearerToken(exchange.request)
    if (token === undefined) return challenge(401)
    const owner = sessions.authenticate(token)
    if (owner) return answerOwner(exchange, owner)
    onRefusedToken()
    return challenge(401, 'invalid_token')
  }

  return async (exchange) => {
    const { pathname, searchParams } = exchange.url
    if (pathname === '/api/redirect') return redirect(searchParams.get('to'))
    if (pathname !== '/api/slow') return checked(exchange)
    const ms = Number(searchParams.get('ms') ?? 0)
    if (searchParams.get('check') === 'late') {
      await delays.wait(ms)
      return checked(exchange)
    }
    const reply = checked(exchange)
    await delays.wait(ms)
    return reply
  }
}
