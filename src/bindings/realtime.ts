/**
 * A WebSocket, an EventSource or a stream, for as long as somebody is signed in.
 *
 * @module
 */
import { FETCH } from '../core/auth.ts'
import { environmentHere } from '../environment/browser.ts'
import { systemClock } from '../environment/clock.ts'
import { report } from '../environment/report.ts'
import { isRefusal } from './realtime/is-refusal.ts'
import { checked } from './realtime/options.ts'
import type { KeepConnectedOptions, Open } from './realtime/types.ts'
import { whileOpen } from './realtime/while-open.ts'
import type { AnyAuth } from './snapshot.ts'

export type {
  Connection,
  ConnectionRequest,
  ConnectionRetry,
  KeepConnectedOptions,
  Open,
} from './realtime/types.ts'
export type { AnyAuth } from './snapshot.ts'

/** A connection, from the wait for its token to its end. */
interface Live {
  readonly controller: AbortController
  /** The session whose token it has. */
  session: AnyAuth['session']
  begunAt: number
}

/**
 * Keeps a connection open that was opened with the session's token. It waits while nobody is signed in, connects anew after a
 * renewal, and after failures with growing waits. On a sign-out, at the end of the session, and when somebody else signs in it
 * closes the connection at once: none of one user is there under another.
 *
 * @param auth the session
 * @param open opens one connection with the token it is given. Never put that into a URL: URLs are logged
 * @param options waits in milliseconds, see `KeepConnectedOptions`
 * @returns the way to stop, which closes the connection. It stops by itself when the auth is disposed of
 * @throws TypeError where the session lives in a worker, which gives no token, or where an option is wrong
 *
 * @example
 * ```ts
 * const stop = keepConnected(auth, ({ accessToken }) => {
 *   const socket = new WebSocket('wss://api.example.com/live', ['bearer', accessToken])
 *   socket.onmessage = ({ data }) => show(JSON.parse(data))
 *   return socket
 * })
 * ```
 *
 * @see RFC 6750 §2.3 on tokens in URLs, RFC 6455 §1.9 on subprotocols
 */
export function keepConnected(auth: AnyAuth, open: Open, options: KeepConnectedOptions = {}): () => void {
  if (auth[FETCH]) throw new TypeError('keepConnected: this session lives in a worker, which gives no token.')
  const { renewal, minDelay, maxDelay, jitter, stableAfter } = checked(options)
  const { isChallenge = isRefusal, onRetry } = options
  const { clock = systemClock, environment = environmentHere() } = options

  let live: Live | undefined
  /** The session that was looked at last. */
  let seen: AnyAuth['session']
  let attempt = 0
  let timer: unknown
  /** Whether a new token was asked for since a connection lasted, because the server had refused one. */
  let hasAsked = false

  const serves = (session: AnyAuth['session']) =>
    session !== undefined &&
    (renewal === 'keep' ? session.epoch === live?.session?.epoch : session === live?.session)

  function update() {
    const { session } = auth
    if (live && !serves(session)) close()
    if (session !== seen) {
      // What went wrong before was not about another user.
      if (session?.epoch !== seen?.epoch) reset()
      seen = session
      cancelWait()
    }
    if (session && !live && timer === undefined && environment.online()) connect().catch(report)
  }

  async function connect() {
    const own: Live = { controller: new AbortController(), session: auth.session, begunAt: clock.now() }
    live = own
    const cause = await run(own).catch((error: unknown) => error)
    // Where it is not the live one, it is closed, and was meant to be.
    if (live === own) ended(own, cause)
  }

  /** Gets a token and opens the connection; resolves with why it ended. */
  async function run(own: Live): Promise<unknown> {
    const { signal } = own.controller
    let accessToken: string
    do {
      own.session = auth.session
      accessToken = await auth.getAccessToken({ signal })
      if (live !== own) return undefined
      // There may be another by now, or even another user, and this one would go by that one's name.
    } while (auth.session !== own.session)
    own.begunAt = clock.now()
    return whileOpen(open, { accessToken, generation: own.session?.generation ?? 0, signal })
  }

  function ended(own: Live, cause: unknown) {
    close()
    if (clock.now() - own.begunAt >= stableAfter) reset()
    const ceiling = Math.min(maxDelay, minDelay * 2 ** attempt)
    const delay = ceiling * (1 - jitter * Math.random())
    attempt++
    timer = clock.setTimeout(retryNow, delay)
    if (!hasAsked && auth.session === own.session && isChallenge(cause)) {
      hasAsked = true
      // It ends the wait where it brings a token.
      auth.refresh().catch(() => {})
    }
    onRetry?.({ cause, attempt, delay })
  }

  function reset() {
    attempt = 0
    hasAsked = false
  }

  function retryNow() {
    cancelWait()
    update()
  }

  function cancelWait() {
    if (timer !== undefined) clock.clearTimeout(timer)
    timer = undefined
  }

  function close() {
    const closing = live
    live = undefined
    closing?.controller.abort()
  }

  function stop() {
    subscription.unsubscribe()
    for (const unsubscribe of signals) unsubscribe()
    cancelWait()
    close()
  }

  if (auth.actor.getSnapshot().status !== 'active') return () => {}
  const signals = (['online', 'visible', 'wake'] as const).map((kind) =>
    environment.subscribe(kind, retryNow),
  )
  const subscription = auth.actor.subscribe({ next: update, complete: stop })
  update()
  return stop
}
