/** The controls of the server, called by buttons of the page. */
import type { TokenServer } from 'authchart/testing'
import { CONTROL_HEADER, PAGE_HEADER } from '../headers.ts'
import type { Connections } from './connections.ts'
import type { OpenId } from './openid.ts'
import type { RefreshFault } from './refresh-faults.ts'
import type { ServerClock } from './server-clock.ts'

export interface ControlledParts {
  readonly server: TokenServer
  readonly openid?: OpenId | undefined
  readonly clock: ServerClock
  readonly connections: Connections
  readonly faults: { add(fault: RefreshFault, times?: number): void }
  /** Whether the page itself sent the request. */
  readonly isOwn: (request: Request) => boolean
}

/** The number of refreshes that fail per press. */
const FAILURES = 3
/** The longest sleep, in milliseconds. */
const LONGEST_SLEEP = 86_400_000

const LOOPBACK = /^(127\.0\.0\.1|localhost)$/

const refused = (status: number, why: string) => Response.json({ error: why }, { status })

/** Answers `/playground/*`. */
export function createControls({ server, openid, clock, connections, faults, isOwn }: ControlledParts) {
  const controls: Readonly<Record<string, (page: string, query: URLSearchParams) => unknown>> = {
    'expire-access-token'() {
      server.expireAccessTokens()
      return openid?.expireAccessTokens()
    },
    'kill-refresh-token'() {
      server.killRefreshTokens()
      return openid?.killRefreshTokens()
    },
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

  /** Another server knows no token of this one. */
  const id = Math.random().toString(36).slice(2)

  return async function control(request: Request): Promise<Response> {
    const { method, headers, url } = request
    const { pathname, searchParams, hostname } = new URL(url)
    if (pathname === '/playground/clock') {
      // The provider listens on this machine only, and knows no page of another one.
      const issuer = LOOPBACK.test(hostname) ? openid?.issuer : undefined
      return Response.json({ ahead: clock.ahead, server: id, issuer })
    }
    const name = pathname.slice('/playground/'.length)
    const run = Object.hasOwn(controls, name) ? controls[name] : undefined
    if (!run) return refused(404, 'Unknown control')
    if (method !== 'POST') return refused(405, 'Use POST')
    const page = headers.get(PAGE_HEADER)
    if (!isOwn(request) || !headers.has(CONTROL_HEADER) || page === null)
      return refused(403, 'Only the page may call controls')
    const answer = await run(page, searchParams)
    return answer instanceof Response ? answer : new Response(null, { status: 204 })
  }
}
