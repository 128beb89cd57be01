/**
 * What the chart asks of the world around it. One machine serves all sessions: it finds the ports of a session by the
 * key in its context, so a snapshot holds an empty object and no function.
 */
import type { ChartContext, SessionKey, TokenFacts } from './vocabulary.ts'

/** The part of an `AbortSignal` that invoked work uses. */
export interface InvokeSignal {
  readonly aborted: boolean
  addEventListener(type: 'abort', listener: () => void): void
}

/** The owner of the tokens. None of its methods takes or returns a token. */
export interface SessionPort {
  /** Reads the store. Resolves to facts only if it holds newer tokens. Never rejects. */
  restore(signal: InvokeSignal): Promise<TokenFacts | undefined>
  /** Runs the pending sign-in. */
  authenticate(signal: InvokeSignal): Promise<TokenFacts>
  /** One attempt to refresh, under the lock; rejects with a `RefreshFailure`. `attempt` counts from 0. */
  refresh(attempt: number, signal: InvokeSignal): Promise<TokenFacts>
  /** Revokes the tokens of the ended session, in bounded time. Never rejects. */
  revoke(): Promise<void>
  /** Forgets the tokens of the session of that epoch, which ended by itself, here or elsewhere. */
  expire(ended: Pick<ChartContext, 'epoch' | 'reason'>, by: { readonly type: string }): void
  /** Forgets the tokens of a session that the user ended, here or elsewhere. A session of a later epoch goes on. */
  end(ended: { readonly type: string; readonly epoch?: number }): void
  /** Looks in the store for what another tab or process changed. */
  reload(): void
}

/** Where requests wait. */
export interface RequestsPort {
  /** Whether a request used the current tokens. */
  readonly usedSinceRefresh: boolean
  /** Rejects all requests that wait: no token can be had for now. */
  rejectHeld(context: ChartContext): void
  /** Rejects calls that wait for a newer token than the current one: there will be none. */
  rejectRefreshWaiters(context: ChartContext): void
}

/** What one session provides to the chart. */
export interface ChartPorts {
  /** The clock of guards and delays. The chart's timers are those of the actor's own clock. */
  readonly clock: {
    /** Milliseconds since the Unix epoch. */
    now(): number
  }
  /** The owner of the session's tokens. */
  readonly session: SessionPort
  /** The requests that wait for the session. */
  readonly requests: RequestsPort
}

const portsByKey = /* @__PURE__ */ new WeakMap<SessionKey, ChartPorts>()

/**
 * Registers a session's ports and returns the key for the chart's input.
 *
 * @param ports what the chart asks of the session. They are kept as long as the key is
 * @returns a new key, for the input of one actor
 *
 * @example
 * ```ts
 * const session = connectPorts({ clock: Date, session: tokens, requests })
 * createActor(authMachine, { input: { policy, session } }).start()
 * ```
 */
export function connectPorts(ports: ChartPorts): SessionKey {
  const key: SessionKey = {}
  portsByKey.set(key, ports)
  return key
}

/**
 * The ports of the session that a context belongs to.
 *
 * @throws Error if the machine was started without them
 */
export function portsOf({ session }: Pick<ChartContext, 'session'>): ChartPorts {
  const ports = portsByKey.get(session)
  if (!ports) throw new Error('The auth machine was started without its ports. Use createAuth().')
  return ports
}
