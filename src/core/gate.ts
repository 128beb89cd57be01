import type { AuthEvent, Reason } from '../../machines/index.ts'
import type { StepUp } from './challenge.ts'
import {
  AuthError,
  DisposedError,
  RefreshTimeoutError,
  RefreshUnavailableError,
  SessionExpiredError,
  SignedOutError,
} from './errors.ts'
import { createHoldQueue, type HoldOptions } from './hold-queue.ts'
import type { LastUse } from './last-use.ts'
import type { Clock } from './ports.ts'
import type { RequestWatch } from './request.ts'
import type { Pass, Vault } from './vault.ts'

/** What happens to a request that arrives now. The chart decides, by its entry actions. */
type Posture = 'pass' | 'hold' | 'anonymous' | 'refuse'

export interface GateOptions {
  readonly vault: Vault
  readonly clock: Clock
  /** Tells the chart. */
  readonly send: (event: AuthEvent) => void
  readonly queueLimit: number
  readonly holdTimeout: number
  readonly lastUse: LastUse
  readonly idleLimit: number
  readonly concurrency: number
  /** How long an endpoint that refused a fresh token gets no other refresh, in milliseconds. */
  readonly doubtTime: number
}

/**
 * Where requests meet the session. The happy path reads two numbers and a header and never touches the chart; everything
 * else asks the chart and does as it says.
 */
export function createGate({
  vault,
  clock,
  send,
  queueLimit,
  holdTimeout,
  lastUse,
  idleLimit,
  concurrency,
  doubtTime,
}: GateOptions) {
  let posture: Posture = 'hold'
  /** When a request must make the chart look at the clock before it goes. */
  let attentionAt = Number.NEGATIVE_INFINITY
  let usedSinceRenewal = false
  /** The session and the token set that `lastUse` and `usedSinceRenewal` are about. */
  let epoch = -1
  let generation = -1
  let refusal: () => AuthError = () => new SignedOutError()
  let released = 0
  /** Endpoints that answered 401 to a token fresh from a refresh, and until when another refresh is not tried for them. */
  const doubts = new Map<string, number>()
  let doubtedGeneration = -1
  const abortable = new Set<() => void>()

  const queue = createHoldQueue<Pass>({ clock, limit: queueLimit, timeout: holdTimeout, onChange: count })
  /** Those who wait for a newer token than the one at hand, which may still work. */
  const renewals = createHoldQueue<void>({
    clock,
    limit: queueLimit,
    timeout: holdTimeout,
    onChange: () => {},
  })

  let counts = { held: 0, released: 0, replayed: 0, rejected: 0 }
  let rejectedFor: Reason = ''
  let counting = false

  /** A burst is told to the chart once. */
  function count(what: keyof typeof counts, error?: unknown) {
    counts[what]++
    if (what === 'rejected')
      rejectedFor = error instanceof AuthError ? (error.reason ?? error.code) : 'aborted'
    if (counting) return
    counting = true
    void Promise.resolve().then(() => {
      const told = counts
      counts = { held: 0, released: 0, replayed: 0, rejected: 0 }
      counting = false
      const held = queue.size
      if (told.held > 0) send({ type: 'request.held', count: told.held, held })
      // Those that go on for the first time are no news to anybody, but they wait no more.
      if (told.released > 0) send({ type: 'request.released', held })
      if (told.replayed > 0) send({ type: 'request.replayed', count: told.replayed, held })
      if (told.rejected > 0)
        send({ type: 'request.rejected', count: told.rejected, held, reason: rejectedFor })
    })
  }

  /** Whether the chart was asked about a dead token since it last spoke. Its answer may follow what the vault holds. */
  let hasAsked = false

  function setPosture(next: Posture) {
    posture = next
    hasAsked = false
    if (!vault.tokens) lastUse.end()
    else if (epoch !== vault.epoch) lastUse.begin(vault.usedAt)
    if (generation !== vault.generation) usedSinceRenewal = false
    epoch = vault.epoch
    generation = vault.generation
    attend()
  }

  function attend() {
    const { expiresAt = Number.POSITIVE_INFINITY, renewAt = expiresAt } = vault.facts()
    attentionAt = clock.now() < renewAt ? renewAt : expiresAt
  }

  const isDoubted = (key: string) =>
    doubtedGeneration === vault.generation && clock.now() < (doubts.get(key) ?? Number.NEGATIVE_INFINITY)

  const isDead = (now: number) => now >= (vault.tokens?.expiresAt ?? Number.POSITIVE_INFINITY)

  /** How a request goes that arrives now; `undefined`: it has to wait. */
  function pass(): Pass | undefined {
    if (posture === 'pass') {
      const now = clock.now()
      if (now >= attentionAt || now - lastUse.at >= idleLimit) return passAfterCheck(now)
      lastUse.at = now
      if (now >= lastUse.tellAt) lastUse.tell()
      usedSinceRenewal = true
      return vault.pass
    }
    if (posture === 'refuse') throw refusal()
    if (posture === 'anonymous') return vault.anonymousPass
    if (clock.now() - lastUse.at < idleLimit) return undefined
    // To wait is to use the session, and it may have been left for too long by now.
    lastUse.look()
    send({ type: 'session.check' })
    return posture === 'hold' ? undefined : pass()
  }

  function passAfterCheck(now: number): Pass | undefined {
    usedSinceRenewal = true
    lastUse.look()
    send({ type: 'session.check' })
    if (posture !== 'pass') return pass()
    attend()
    // Whether it may go is not known yet: the store is asked whether the session was used elsewhere.
    if (lastUse.looking) return undefined
    lastUse.touch()
    // Told from inside one of the chart's own steps, it will act only after that step.
    return isDead(now) ? undefined : vault.pass
  }

  /** Waits for a token, or for the answer that there will be none. */
  function hold(options: HoldOptions): Promise<Pass> {
    lastUse.touch()
    return queue.hold(vault.owner(), options)
  }

  function reportUnauthorized(refused: Pass) {
    if (posture !== 'pass' || refused.generation !== vault.generation) return
    send({ type: 'request.unauthorized', generation: refused.generation })
    if (posture === 'pass') return
    for (const abort of abortable) abort()
    abortable.clear()
  }

  function release() {
    const { pass: current } = vault
    while (queue.size > 0 && released < concurrency && !lastUse.looking) {
      const entry = queue.shift()
      if (!entry) return
      if (posture === 'pass' && current && vault.mayServe(entry.owner)) {
        released++
        count('released')
        entry.resolve(current)
      } else if (posture === 'anonymous' && entry.owner === -1) {
        released++
        count('released')
        entry.resolve(vault.anonymousPass)
      } else {
        const error = new SignedOutError({ reason: posture === 'pass' ? 'user_changed' : 'signed_out' })
        entry.reject(error)
        count('rejected', error)
      }
    }
  }

  return {
    /** Who watches each request: nobody, but for a tool that is open in development. */
    watch: undefined as RequestWatch | undefined,

    pass,
    hold,

    /** Whether releases are paced: then `done` must follow the answer of every request that was held. */
    paces: concurrency < Number.POSITIVE_INFINITY,
    done() {
      released--
      if (queue.size > 0 && (posture === 'pass' || posture === 'anonymous')) release()
    },

    /**
     * How to replay a request whose `refused` pass earned a 401: with the current token where that is newer, else after a
     * refresh. `undefined`: not at all; the 401 is its caller's.
     */
    renew(refused: Pass, key: string, options: HoldOptions): Pass | Promise<Pass> | undefined {
      if (refused.epoch !== vault.epoch && !vault.mayServe(refused.epoch)) return undefined
      if (refused.generation === vault.generation && isDoubted(key)) return undefined
      reportUnauthorized(refused)
      const current = posture === 'pass' && refused.generation === vault.generation ? undefined : pass()
      if (!current) return hold(options)
      return current.authorization === undefined ? undefined : current
    },

    /** Whether a pass that was given out a moment ago is still the one to go with. */
    admits: (pass: Pass) => pass.authorization === undefined || (posture === 'pass' && pass === vault.pass),

    /** How a request goes on that was aborted in flight, or let go too late; `undefined`: it has to wait. */
    resume(before: Pass): Pass | undefined {
      if (posture !== 'refuse' && !vault.mayServe(before.epoch)) {
        throw new SignedOutError({ reason: posture === 'anonymous' ? 'signed_out' : 'user_changed' })
      }
      return pass()
    },

    reportUnauthorized,

    /** A token fresh from a refresh was refused: another refresh would not help this endpoint. */
    doubt(refused: Pass, key: string) {
      if (refused.generation !== vault.generation) return
      if (doubtedGeneration !== refused.generation) doubts.clear()
      doubtedGeneration = refused.generation
      doubts.set(key, clock.now() + doubtTime)
    },

    /** Whether any endpoint is doubted, so that an answer that clears it is worth telling. */
    get hasDoubts() {
      return doubts.size > 0 && doubtedGeneration === vault.generation
    },
    trust: (key: string) => doubts.delete(key),

    replayed: () => count('replayed'),
    stepUp: (challenge: StepUp) => send({ type: 'request.stepUp', ...challenge }),

    /** Registers a request in flight that may be aborted and sent again; gives the way to strike it off. */
    whileAbortable(abort: () => void): () => void {
      abortable.add(abort)
      return () => abortable.delete(abort)
    },

    /** Waits for a token newer than the one at hand. */
    nextGeneration: (options: HoldOptions): Promise<void> => renewals.hold(vault.generation, options),

    letRequestsPass: () => setPosture('pass'),
    holdRequests: () => setPosture('hold'),
    sendWithoutToken: () => setPosture('anonymous'),
    refuse(why: () => AuthError) {
      refusal = why
      setPosture('refuse')
    },

    /** Acts on the posture once the chart has come to rest. */
    settle() {
      if (posture === 'pass' && queue.size + renewals.size > 0 && isDead(clock.now())) {
        // What a sibling left in the store may have no access token, or a dead one: who waits for one waits on.
        if (hasAsked) return
        hasAsked = true
        send({ type: 'session.check' })
      } else if (posture === 'refuse') {
        queue.rejectAll(refusal)
        renewals.rejectAll(refusal)
      } else if (posture !== 'hold') {
        release()
        if (posture === 'pass') {
          while (renewals.size > 0 && renewals.peek() < vault.generation) renewals.shift()?.resolve()
        } else renewals.rejectAll(() => new SignedOutError())
      }
    },

    rejectHeld(error: () => AuthError) {
      queue.rejectAll(error)
      renewals.rejectAll(error)
    },
    /** Turns away who waits for a renewal that will not come. Who has had it by now is not among them. */
    rejectRenewals: (error: () => AuthError) =>
      renewals.rejectAll(error, (owner) => !vault.tokens || owner >= vault.generation),

    get usedSinceRenewal() {
      return usedSinceRenewal
    },

    dispose() {
      this.refuse(() => new DisposedError())
      this.settle()
    },
  }
}

export type Gate = ReturnType<typeof createGate>

/** The error for who waited when all tries of a refresh were spent. */
export function unavailable(reason: Reason | undefined, cause: unknown): RefreshUnavailableError {
  const Unavailable = reason === 'timeout' ? RefreshTimeoutError : RefreshUnavailableError
  return new Unavailable({ reason, cause })
}

/** The error for who asks after the session is over. */
export function over(standing: 'expired' | 'left', reason: Reason | undefined, cause: unknown): AuthError {
  return standing === 'expired' ? new SessionExpiredError({ reason, cause }) : new SignedOutError({ reason })
}
