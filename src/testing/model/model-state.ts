import type { AnyEventObject, AnyTransitionDefinition } from 'xstate'
import type { AuthEmitted } from '../../../machines/index.ts'
import type { ResolvedModelSettings } from './model-options.ts'
import type { ChartSnapshot } from './simulated-chart.ts'

/** How the token endpoint takes requests at the moment. */
export type Endpoint =
  | 'answers'
  /** 500. */
  | 'fails'
  /** 429 with `Retry-After`. */
  | 'limits'
  /** Acts, and the connection breaks before the answer. */
  | 'loses'
  /** Keeps them waiting. */
  | 'holds'

/** One token set. `family` names the sign-in it descends from, `rotation` how often it was renewed. */
export interface ModelTokens {
  readonly family: number
  readonly rotation: number
  readonly subject: 'ada' | 'grace'
  readonly startedAt: number
  readonly expiresAt: number
  readonly renewAt: number
  /** When the server takes the access token to be dead, by its own clock. */
  readonly diesAt: number
  readonly renewable: boolean
}

/** What the authorization server knows of one sign-in. */
export interface ModelFamily {
  readonly subject: 'ada' | 'grace'
  readonly startedAt: number
  readonly refreshTokenAlive: boolean
  /** The newest token set issued. */
  readonly newest: number
  /** The refresh token that was presented last. */
  readonly lastUsed: number
  /** Access tokens up to this rotation are refused before their time. */
  readonly refusedUpTo: number
}

export interface ModelMark {
  readonly epoch: number
  readonly change: number
}

export interface ModelCredentials {
  readonly subject: 'ada' | 'grace'
  readonly accepted: boolean
}

/** A request that the token endpoint keeps waiting. */
export interface ModelCall {
  readonly kind: 'exchange' | 'signIn' | 'revoke'
  /** The chart's invocation that waits for it; `undefined` once nobody does. */
  readonly waiter: string | undefined
  readonly timedOut: boolean
  readonly timeoutAt: number
  readonly mark: ModelMark
  /** What an exchange presents. */
  readonly tokens?: ModelTokens | undefined
  readonly credentials?: ModelCredentials | undefined
}

export interface ModelPass {
  readonly tokens: ModelTokens | undefined
  readonly epoch: number
  readonly generation: number
}

export interface ModelHeld {
  readonly owner: number
  /** Whether it earned a 401 before, so that going on is a replay. */
  readonly refused: boolean
  readonly deadline: number
}

export interface ModelRenewal {
  readonly generation: number
  readonly deadline: number
}

/** How something an event started came out, such as `request: answered` or `refresh: session_expired`. */
export type Outcome = `${'request' | 'refresh'}: ${string}`

/** The whole world of a walk at rest: the chart's snapshot, and what the chart does not know. */
export interface ModelState {
  readonly settings: ResolvedModelSettings
  readonly chart: ChartSnapshot
  readonly timers: ReadonlyMap<string, { readonly due: number; readonly event: AnyEventObject }>
  /** Invocations of the chart that wait, by their ids. */
  readonly running: ReadonlyMap<string, string>
  readonly calls: readonly ModelCall[]

  /** Milliseconds that timers count. */
  readonly uptime: number
  /** What the app's clock shows. */
  readonly wall: number
  /** What the server's clock shows. */
  readonly truth: number

  readonly online: boolean
  readonly endpoint: Endpoint
  readonly families: ReadonlyMap<number, ModelFamily>
  /** The session that an HttpOnly cookie holds. */
  readonly cookie: number | undefined
  readonly storage: 'none' | 'works' | 'broken'
  readonly stored: ModelTokens | undefined
  /** Whether the app knows that the store held its record. */
  readonly storeHolds: boolean
  /** Whether the app was told that the store fails, since it took something last. */
  readonly storeFailureTold: boolean

  readonly epoch: number
  readonly generation: number
  readonly change: number
  readonly tokens: ModelTokens | undefined
  readonly predecessor:
    | { readonly epoch: number; readonly subject: string; readonly expired: boolean }
    | undefined
  readonly credentials: ModelCredentials | undefined
  /** Whether a session was signed out of, and its tokens wait to be revoked. */
  readonly leftBehind: boolean

  readonly posture: 'pass' | 'hold' | 'anonymous' | 'refuse'
  readonly attentionAt: number
  readonly usedAt: number
  readonly usedSinceRenewal: boolean
  readonly usedEpoch: number
  readonly usedGeneration: number
  readonly held: readonly ModelHeld[]
  readonly renewals: readonly ModelRenewal[]
  /** The endpoint refused a token fresh from a refresh: for a while it gets no other. */
  readonly doubt: { readonly generation: number; readonly until: number } | undefined
  /** A request whose answer, a 401, is still on its way. */
  readonly flying: ModelPass | undefined

  /** Of the step that led here. */
  readonly taken: readonly AnyTransitionDefinition[]
  /** Paths of the states the chart was in. */
  readonly visited: readonly string[]
  readonly emitted: readonly AuthEmitted[]
  readonly outcomes: readonly Outcome[]
}

/** Where the chart is: `authenticated.terminal`; for `refreshing` its exchange and its gate, `refreshing.offline.closed`. */
export function placeOf(value: unknown): string {
  if (typeof value === 'string') return value
  const [entry] = Object.entries(value as Record<string, unknown>)
  if (!entry) return ''
  const [state, inner] = entry
  if (state !== 'refreshing') return `${state}.${placeOf(inner)}`
  const { exchange, gate } = inner as { exchange: string; gate: string }
  return `refreshing.${exchange}.${gate}`
}

/**
 * What makes two worlds the same for a walk. Instants count by whether they have passed, counters by whether they differ,
 * and what can no longer tell is left out, or there would be no end of worlds.
 */
export function serializeModelState(state: ModelState): string {
  const { context, value } = state.chart
  const { tokens, stored, wall, truth, families, settings } = state
  const family = tokens && families.get(tokens.family)
  const waits = state.held.length + state.renewals.length > 0 || state.flying !== undefined
  return JSON.stringify([
    placeOf(value),
    context.standing,
    Math.min(context.attempt, settings.attempts - 1),
    context.uncertain,
    context.renewable,
    context.rejectedGeneration === context.generation,
    wall >= context.notBefore,
    tokens && [
      wall >= tokens.renewAt,
      wall >= tokens.expiresAt,
      truth >= tokens.diesAt,
      family?.refreshTokenAlive,
      (family?.refusedUpTo ?? 0) >= tokens.rotation,
      settings.renew === 'activity' && state.usedSinceRenewal,
      stored?.family === tokens.family && stored.rotation === tokens.rotation,
    ],
    state.calls.map(({ kind, waiter, timedOut, mark, credentials }) => [
      kind,
      waiter !== undefined,
      timedOut,
      mark.change === state.change,
      credentials?.accepted,
    ]),
    state.held.map(({ owner, refused }) => [owner === state.epoch, refused]),
    state.renewals.map(({ generation }) => generation === state.generation),
    state.flying && [state.flying.epoch === state.epoch, state.flying.generation === state.generation],
    waits && [tokens?.subject, state.predecessor?.subject, state.predecessor?.expired],
    state.doubt?.generation === state.generation && wall < state.doubt.until,
    state.online,
    state.endpoint,
    state.storage,
    stored !== undefined,
    wall === truth,
  ])
}
