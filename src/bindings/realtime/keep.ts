import { environmentHere } from '../../environment/browser.ts'
import { systemClock } from '../../environment/clock.ts'
import { report } from '../../environment/report.ts'
import type { AnyAuth } from '../snapshot.ts'
import { isTokenRejection } from './is-token-rejection.ts'
import { resolveOptions } from './options.ts'
import type { KeepConnectedOptions, Open } from './types.ts'
import { whileOpen } from './while-open.ts'

/** One connection, from the wait for its token to its end. */
interface LiveConnection {
  readonly controller: AbortController
  /** The session whose token it uses. */
  session: AnyAuth['session']
  openedAt: number
}

/** Implements `keepConnected` for a session that is not in a worker. */
export function keep(auth: AnyAuth, open: Open, options: KeepConnectedOptions): () => void {
  const { renewal, minDelay, maxDelay, jitter, stableAfter } = resolveOptions(options)
  const { isChallenge = isTokenRejection, onRetry } = options
  const { clock = systemClock, environment = environmentHere() } = options

  let live: LiveConnection | undefined
  /** The session at the last update. */
  let seen: AnyAuth['session']
  let attempt = 0
  let timer: unknown
  /** Whether a refresh was requested because the server rejected a token. Reset once a connection has lasted. */
  let hasRequestedRefresh = false

  const mayServe = (session: AnyAuth['session']) =>
    session !== undefined &&
    (renewal === 'keep' ? session.epoch === live?.session?.epoch : session === live?.session)

  function update() {
    const { session } = auth
    if (live && !mayServe(session)) close()
    if (session !== seen) {
      // Failures of one user do not count for the next one.
      if (session?.epoch !== seen?.epoch) reset()
      seen = session
      cancelTimer()
    }
    if (session && !live && timer === undefined) connect().catch(report)
  }

  async function connect() {
    const own: LiveConnection = {
      controller: new AbortController(),
      session: auth.session,
      openedAt: clock.now(),
    }
    live = own
    const cause = await run(own).catch((error: unknown) => error)
    // If another connection has replaced it, it was closed on purpose.
    if (live === own) scheduleRetry(own, cause)
  }

  /** Gets a token and opens the connection. Resolves with the reason for its end. */
  async function run(own: LiveConnection): Promise<unknown> {
    const { signal } = own.controller
    let accessToken: string
    do {
      own.session = auth.session
      accessToken = await auth.getAccessToken({ signal })
      if (live !== own) return undefined
      // The session may have changed in the meantime, even to another user. This token would then not match it.
    } while (auth.session !== own.session)
    own.openedAt = clock.now()
    return whileOpen(open, { accessToken, generation: own.session?.generation ?? 0, signal })
  }

  function scheduleRetry(own: LiveConnection, cause: unknown) {
    close()
    if (clock.now() - own.openedAt >= stableAfter) reset()
    const ceiling = Math.min(maxDelay, minDelay * 2 ** attempt)
    // Only a hint: some machines are called offline while their network works.
    const delay = environment.online() ? ceiling * (1 - jitter * Math.random()) : maxDelay
    attempt++
    timer = clock.setTimeout(retryNow, delay)
    if (!hasRequestedRefresh && auth.session === own.session && isChallenge(cause)) {
      hasRequestedRefresh = true
      // A new token changes the session, which ends the delay.
      auth.refresh().catch(() => {})
    }
    onRetry?.({ cause, attempt, delay })
  }

  function reset() {
    attempt = 0
    hasRequestedRefresh = false
  }

  function retryNow() {
    cancelTimer()
    update()
  }

  function cancelTimer() {
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
    cancelTimer()
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
