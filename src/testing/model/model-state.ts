import type { AnyActorRef, AnyEventObject, AnyTransitionDefinition } from 'xstate'
import type { AuthEmitted } from '../../../machines/index.ts'
import {
  doubtTime,
  isReached,
  isWithin,
  type Lineage,
  type Predecessor,
  type UserNames,
} from '../../../machines/policies.ts'
import { type RequestMode, requestMode } from '../../core/requests/request-mode.ts'
import { placeOf } from './chart-parts.ts'
import type { Endpoint, ResolvedModelSettings } from './model-options.ts'
import type { ChartSnapshot } from './simulated-chart.ts'

/** One of the two users of the model. */
export type Subject = 'ada' | 'grace'

/** One token set. `id` is the sign-in that it descends from, `rotation` how often the server has refreshed it. */
export interface ModelTokens extends Lineage {
  readonly subject: Subject
  readonly user: UserNames
  readonly expiresAt: number
  readonly refreshAt: number
  /** When the access token expires by the server's clock. */
  readonly expiresOnServerAt: number
  readonly refreshable: boolean
}

/** What the authorization server knows of one sign-in. */
export interface Grant {
  readonly id: string
  readonly subject: Subject
  readonly isRevoked: boolean
  /** The newest rotation that was issued. */
  readonly newest: number
  /** The rotation of the refresh token that was sent last. */
  readonly lastUsed: number
  /** Access tokens up to this rotation are refused before they expire. */
  readonly refusedUpTo: number
}

/** What a request is sent with. */
export type ModelCredential = Readonly<Pick<World, 'tokens' | 'epoch' | 'generation'>>

/** A call that the token endpoint holds, and the world as it was when the call was made. */
export interface ModelCall extends Readonly<Pick<World, 'revision' | 'tokens' | 'credentials'>> {
  readonly kind: 'refresh' | 'signIn' | 'revoke'
  /** The chart's invocation that waits for the answer, or did. */
  readonly waiter: AnyActorRef
  readonly timedOut: boolean
  readonly timeoutAt: number
}

/** A timer of the chart. */
export interface Timer {
  readonly id: string
  readonly due: number
  readonly event: AnyEventObject
}

/** A request, a request that was refused before, or a call of `auth.refresh()`, that waits. */
export interface Waiting {
  readonly kind: 'request' | 'replay' | 'refresh'
  /** The epoch of a request; the generation that a refresh must go beyond. */
  readonly owner: number
  readonly deadline: number
}

/** The result of a request or a refresh, such as `request: answered` or `refresh: session_expired`. */
export type Outcome = `${'request' | 'refresh'}: ${string}`

/** A start far from zero, so that an instant is never mistaken for a length of time. */
const START = 1_700_000_000_000

/** The world of a walk: the chart's snapshot, and what is around the chart. The values are those of an app not yet started. */
export class World {
  readonly settings: ResolvedModelSettings
  chart = undefined as unknown as ChartSnapshot
  timers: readonly Timer[] = []
  calls: readonly ModelCall[] = []

  /** Milliseconds that timers count. */
  uptime = 0
  /** The app's clock. */
  wall = START
  /** The server's clock. */
  serverTime = START

  online = true
  endpoint: Endpoint
  grants: readonly Grant[] = []
  /** The id of the session that an HttpOnly cookie holds. */
  cookie: string | undefined
  storage: 'none' | 'works' | 'broken' = 'works'
  stored: ModelTokens | undefined
  /** Whether the store holds the app's record, as far as the app knows. */
  hasRecord = false
  /** Whether the app has emitted that the store fails. */
  storeFailureReported = false

  epoch = 0
  generation = 0
  /** Grows with every change of the tokens. */
  revision = 0
  tokens: ModelTokens | undefined
  predecessor: Predecessor | undefined
  /** Start of the newest session that was seen. */
  newestStart = Number.NEGATIVE_INFINITY
  /** What the next sign-in sends. */
  credentials: { readonly subject: Subject; readonly accepted: boolean } | undefined
  /** Whether the user signed out, and the tokens wait to be revoked. */
  revokes = false

  /** When the session was last used. */
  usedAt = START
  /** When the app looks at its limits again, in uptime. */
  limitDue = Number.POSITIVE_INFINITY
  /** The generation that a request used last. */
  usedGeneration = -1
  /** The generation for which a request made the chart look at a due refresh. */
  checkedGeneration = -1
  waiting: readonly Waiting[] = []
  /** The API refused a token fresh from a refresh: for a while its 401 causes no other refresh. */
  refusing: { readonly epoch: number; readonly at: number } | undefined
  /** A request whose answer, a 401, is delayed. */
  flying: ModelCredential | undefined

  // What happened in the step that led here.
  taken: readonly AnyTransitionDefinition[] = []
  /** Paths of the states that the chart was in. */
  visited: readonly string[] = []
  emitted: readonly AuthEmitted[] = []
  outcomes: readonly Outcome[] = []

  constructor(settings: ResolvedModelSettings) {
    this.settings = settings
    this.endpoint = settings.endpoint
  }
}

/** A world at rest. It never changes: a step makes another one. */
export type ModelState = Readonly<World>

/** A world in the middle of a step. */
export interface Draft extends World {
  /** What happens next, in order: the microtasks of this world. */
  readonly jobs: (() => void)[]
  /** Sends an event to the chart. During a step of the chart, the event waits until the step ends. */
  send(event: AnyEventObject): void
}

/** What happens to a request that arrives now. */
export const modeOf = ({ chart, settings }: ModelState): RequestMode =>
  requestMode(chart, settings.whenExpired)

/** Whether the API is in doubt: its 401 causes no refresh. */
export const isDoubted = ({ refusing, epoch, wall, settings }: ModelState): boolean =>
  refusing?.epoch === epoch && isWithin(refusing.at, doubtTime(settings.retry), wall)

/** How many requests wait. */
export const countHeld = ({ waiting }: ModelState): number =>
  waiting.filter(({ kind }) => kind !== 'refresh').length

/** The sign-in that tokens descend from, or the session in the cookie. */
export const grantOf = ({ grants, cookie }: ModelState, tokens: ModelTokens | undefined) =>
  grants.find(({ id }) => id === (tokens ? tokens.id : cookie))

/** Whether the chart still waits for the answer to a call. */
export const isAwaited = ({ chart }: ModelState, { waiter }: ModelCall): boolean =>
  Object.values(chart.children).includes(waiter as never)

/**
 * The key by which a walk recognizes a world. Instants count by whether they have passed, and counters by whether they
 * differ. What can make no difference any more is left out; otherwise the worlds would never end.
 */
export function serializeModelState(state: ModelState): string {
  const { tokens, stored, wall, serverTime, settings, epoch, generation, flying } = state
  const { context, value } = state.chart
  const { status, attempt, ambiguous, refreshable } = context
  const { predecessor, online, endpoint, storage } = state
  const { isRevoked, refusedUpTo = 0 } = grantOf(state, tokens) ?? {}
  const waits = state.waiting.length > 0 || flying !== undefined
  const isRejected = context.rejectedGeneration === context.generation
  const isUsed = settings.refreshOn === 'activity' && state.usedGeneration === generation
  return JSON.stringify([
    [placeOf(value), status, Math.min(attempt, settings.retry.attempts - 1), ambiguous, refreshable],
    [isRejected, isReached(context.notBefore, wall), online, endpoint, storage, wall === serverTime],
    tokens && [
      [isReached(tokens.refreshAt, wall), isReached(tokens.expiresAt, wall), isUsed, isRevoked],
      [isReached(tokens.expiresOnServerAt, serverTime), refusedUpTo >= tokens.rotation],
    ],
    stored && [stored.id === tokens?.id, stored.rotation === tokens?.rotation],
    state.calls.map((call) => {
      const isCurrent = call.revision === state.revision
      return [call.kind, isAwaited(state, call), call.timedOut, isCurrent, call.credentials?.accepted]
    }),
    state.waiting.map(({ kind, owner }) => [kind, owner === (kind === 'refresh' ? generation : epoch)]),
    flying && [flying.epoch === epoch, flying.generation === generation],
    waits && [tokens?.user, predecessor?.user, predecessor?.expired],
    isDoubted(state),
  ])
}
