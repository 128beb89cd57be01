import type { TokenServer } from 'authchart/testing'
import { pause } from './pause.ts'

/** `fail`: answers 500 without a refresh. `lose`: refreshes, and closes the connection without an answer. */
export type RefreshFault = 'fail' | 'lose'

async function isRefresh(request: Request): Promise<boolean> {
  if (!new URL(request.url).pathname.endsWith('/token')) return false
  return new URLSearchParams(await request.clone().text()).get('grant_type') === 'refresh_token'
}

/**
 * Adds faults to the next refreshes, of whichever server. Sign-ins in between are not affected.
 *
 * @param send passes a request on to its server
 */
export function createRefreshFaults(
  server: Pick<TokenServer, 'tokenDelay'>,
  send: (request: Request) => Promise<Response>,
) {
  const faults: RefreshFault[] = []

  return {
    add(fault: RefreshFault, times = 1) {
      for (let time = 0; time < times; time++) faults.push(fault)
    },

    /** Rejects if the connection must be closed without an answer. */
    async handle(request: Request): Promise<Response> {
      const fault = (await isRefresh(request)) ? faults.shift() : undefined
      if (fault === 'fail') {
        await pause(server.tokenDelay, request.signal)
        return Response.json({ error: 'server_error' }, { status: 500 })
      }
      const answer = await send(request)
      if (fault === 'lose') throw new TypeError('The answer is lost')
      return answer
    },
  }
}
