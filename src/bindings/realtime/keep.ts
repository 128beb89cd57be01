import { environmentHere } from '../../environment/browser.ts'
import { systemClock } from '../../environment/clock.ts'
import { report } from '../../environment/report.ts'
import type { AnyAuth } from '../snapshot.ts'
import { isRefusal } from './is-refusal.ts'
import { checked } from './options.ts'
import type { KeepConnectedOptions, Open } from './types.ts'
import { whileOpen } from './while-open.ts'

/** A connection, from the wait for its token to its end. */
interface Live {
  readonly controller: AbortController
  /** The session whose token it has. */
  session: AnyAuth['session']
  begunAt: number
}

/** `keepConnected`, for a session that lives here. */
export function keep(auth: AnyAuth, open: Open, options: KeepConnectedOptions): () => void {
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
