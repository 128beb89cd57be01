import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { listen } from './listen.ts'
import type { TokenServer } from './server.ts'

/**
 * An API that answers requests with a valid access token: `{ path, body }`, after a moment. The first request for a report
 * takes until its token has expired, and only then the API checks the token. So it gets a late 401.
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

  /** Waits until the token has expired and the client has received the next one. */
  async function outlive(token: string | undefined) {
    // After the end of the session no next token comes.
    const enough = pause(10_000, undefined, { ref: false })
    do await Promise.race([tokens.nextToken(), enough])
    while (await tokens.accepts(token))
    await pause(150)
  }

  /** The number of 401s, and how many of them came late, after the work was done. */
  return { ...listener, refusals }
}
