/** The controls of the server, called by buttons of the page. */
import type { IncomingMessage } from 'node:http'
import type { TokenServer } from 'authchart/testing'
import { CONTROL_HEADER, PAGE_HEADER } from '../headers.ts'
import type { Connections } from './connections.ts'
import type { RefreshFault } from './refresh-faults.ts'
import type { ServerClock } from './server-clock.ts'

export interface ControlledParts {
  readonly server: TokenServer
  readonly clock: ServerClock
  readonly connections: Connections
  readonly faults: { add(fault: RefreshFault, times?: number): void }
}

/** The number of refreshes that fail per press. */
const FAILURES = 3
/** The longest sleep, in milliseconds. */
const LONGEST_SLEEP = 86_400_000

const refused = (status: number, why: string) => Response.json({ error: why }, { status })

/** Answers `/playground/*`. */
export function createControls({ server, clock, connections, faults }: ControlledParts) {
  const controls: Readonly<Record<string, (page: string, query: URLSearchParams) => Response | undefined>> = {
    'expire-access-token': () => void server.expireAccessTokens(),
    'kill-refresh-token': () => void server.killRefreshTokens(),
    'fail-refreshes': () => void faults.add('fail', FAILURES),
    'lose-answer': () => void faults.add('lose'),
    offline: (page) => void connections.cut(page),
    online: (page) => void connections.restore(page),
    sleep(_, query) {
      const ms = Number(query.get('ms'))
      if (!(ms > 0 && ms <= LONGEST_SLEEP))
        return refused(400, `ms must be a number of milliseconds, above 0 and at most ${LONGEST_SLEEP}`)
      clock.advance(ms)
      return undefined
    },
  }

  return function control({ method, headers, url = '' }: IncomingMessage): Response {
    const { pathname, searchParams } = new URL(url, `http://${headers.host}`)
    if (pathname === '/playground/clock') return Response.json({ ahead: clock.ahead })
    const name = pathname.slice('/playground/'.length)
    const run = Object.hasOwn(controls, name) ? controls[name] : undefined
    if (!run) return refused(404, 'Unknown control')
    if (method !== 'POST') return refused(405, 'Use POST')
    const page = headers[PAGE_HEADER]
    const isOwn = headers.origin === `http://${headers.host}` && headers[CONTROL_HEADER] !== undefined
    if (!isOwn || typeof page !== 'string') return refused(403, 'Only the page may call controls')
    return run(page, searchParams) ?? new Response(null, { status: 204 })
  }
}
