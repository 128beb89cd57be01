import { setTimeout as wait } from 'node:timers/promises'
import type { TokenServer } from 'authchart/testing'

/** `fail`: a 500, and nothing is done. `lose`: it is done, and the connection ends without an answer. */
export type RefreshFault = 'fail' | 'lose'

async function isRefresh(request: Request): Promise<boolean> {
  if (new URL(request.url).pathname !== '/token') return false
  return new URLSearchParams(await request.clone().text()).get('grant_type') === 'refresh_token'
}

/** Faults of the next refreshes alone, before a token server: a sign-in in between takes none of them. */
export function createRefreshFaults(server: Pick<TokenServer, 'handle' | 'tokenDelay'>) {
  const faults: RefreshFault[] = []

  return {
    add(fault: RefreshFault, times = 1) {
      for (let time = 0; time < times; time++) faults.push(fault)
    },

    /** Rejects where the connection has to end without an answer. */
    async handle(request: Request): Promise<Response> {
      const fault = (await isRefresh(request)) ? faults.shift() : undefined
      if (fault === 'fail') {
        await wait(server.tokenDelay, undefined, { signal: request.signal, ref: false })
        return Response.json({ error: 'server_error' }, { status: 500 })
      }
      const answer = await server.handle(request)
      if (fault === 'lose') throw new TypeError('The answer is lost')
      return answer
    },
  }
}
