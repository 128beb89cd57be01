import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { listen } from './listen.ts'
import type { TokenServer } from './server.ts'

/**
 * An API that answers to holders of an access token: `{ path, body }`, after a moment. The first time it is asked for a
 * report, it works until the token it was asked with is dead, and looks at the token only then.
 */
export async function startApi(tokens: TokenServer) {
  const reports = new Set<string>()
  const refusals = { all: 0, late: 0 }

  const listener = await listen(async (request, response) => {
    const path = request.url ?? '/'
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1]
    const slow = path.startsWith('/reports/') && !reports.has(path)
    const body = await text(request)
    if (slow) {
      reports.add(path)
      await outlive(token)
    }
    if (!(await tokens.accepts(token))) {
      refusals.all++
      if (slow) refusals.late++
      return response.writeHead(401, { 'www-authenticate': 'Bearer error="invalid_token"' }).end()
    }
    await pause(50 + 100 * Math.random())
    return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ path, body }))
  })

  /** Works until the token is dead and its successor has reached the client. */
  async function outlive(token: string | undefined) {
    // A session that is over has no next token.
    const enough = pause(10_000, undefined, { ref: false })
    do await Promise.race([tokens.nextToken(), enough])
    while (await tokens.accepts(token))
    await pause(150)
  }

  /** How many requests were refused with 401, and how many of those when their work was done already. */
  return { ...listener, refusals }
}
