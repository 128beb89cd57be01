import type { Draft } from './draft.ts'
import { refresh, request, unauthorized } from './draft-gate.ts'
import { apiAccepts, exchange, issue, killRefreshTokens, refuseAccessTokens } from './draft-server.ts'
import { begin, keep } from './draft-vault.ts'
import type { Endpoint, ModelPass, ModelState } from './model-state.ts'

/** One thing that can happen to a session. */
export interface ModelEvent {
  /** What a driver has to make happen, as a sentence. */
  readonly description: string
  /** Whether it can happen there, and would tell something. */
  readonly enabled: (state: ModelState) => boolean
  readonly apply: (draft: Draft) => void
}

/** How far `clockSetBack` sets it, in milliseconds. */
export const SET_BACK = 600_000

const never = Number.POSITIVE_INFINITY

const standing = ({ chart }: ModelState) => chart.context.standing
const isIn = ({ chart }: ModelState, ...values: string[]) => {
  const { value } = chart
  return values.includes(typeof value === 'string' ? value : (Object.keys(value)[0] ?? ''))
}
const passOf = ({ tokens, epoch, generation }: ModelState): ModelPass => ({ tokens, epoch, generation })

const timerOf = ({ timers }: ModelState, name: string) =>
  [...timers].find(([id, { due }]) => id.includes(`.${name}.`) && due < never)?.[1].due

const ahead = (at: number | undefined, { wall }: ModelState) => at !== undefined && at < never && at > wall

const signIn = (subject: 'ada' | 'grace', accepted: boolean) => (draft: Draft) => {
  draft.credentials = { subject, accepted }
  draft.send({ type: 'session.signIn' })
}
const maySignIn = ({ calls }: ModelState) => !calls.some(({ kind }) => kind === 'signIn')

const turns = (endpoint: Endpoint) => ({
  // From one kind of trouble to another only through an answer; what waits may be answered in any way.
  enabled: ({ endpoint: now }: ModelState) =>
    now !== endpoint && (now === 'answers' || now === 'holds' || endpoint === 'answers'),
  apply(draft: Draft) {
    draft.endpoint = endpoint
    if (endpoint !== 'holds') draft.answerCalls()
  },
})

const passes = (until: (state: ModelState) => number | undefined) => ({
  enabled: (state: ModelState) => ahead(until(state), state),
  apply: (draft: Draft) => draft.advance((until(draft) ?? draft.wall) - draft.wall),
})
const runsOut = (due: (state: ModelState) => number | undefined) => ({
  enabled: (state: ModelState) => (due(state) ?? never) < never,
  apply: (draft: Draft) => draft.advance(Math.max(0, (due(draft) ?? 0) - draft.uptime)),
})
const earliest = (instants: readonly number[]) => Math.min(never, ...instants)

function sleep(draft: Draft, until: number | undefined) {
  const ms = (until ?? draft.wall) - draft.wall
  draft.wall += ms
  draft.truth += ms
}

const hasSession = (state: ModelState) => standing(state) === 'session'

/** Everything that can happen to a session, by name. */
export const modelEvents = {
  signIn: {
    description: 'the user signs in',
    enabled: maySignIn,
    apply: signIn('ada', true),
  },
  signInRefused: {
    description: 'a sign-in is refused',
    enabled: maySignIn,
    apply: signIn('ada', false),
  },
  signInAsOther: {
    description: 'another user signs in',
    enabled: maySignIn,
    apply: signIn('grace', true),
  },
  signOut: {
    description: 'the user signs out',
    enabled: (state) => !isIn(state, 'restoring'),
    apply: (draft) => draft.send({ type: 'session.signOut' }),
  },
  adoptTokens: {
    description: 'the app sets tokens that it got elsewhere',
    enabled: (state) => !isIn(state, 'restoring'),
    apply(draft) {
      const facts = begin(draft, issue(draft, 'ada'))
      draft.send({ type: 'session.adopt', facts, works: true, renewal: false })
      keep(draft)
    },
  },
  adoptExpiredTokens: {
    description: 'the app sets tokens that have run out',
    enabled: (state) => !isIn(state, 'restoring'),
    apply(draft) {
      const facts = begin(draft, issue(draft, 'ada', 0))
      draft.send({ type: 'session.adopt', facts, works: false, renewal: false })
      keep(draft)
    },
  },

  request: {
    description: 'a request is sent',
    enabled: ({ held }) => held.length === 0,
    apply: request,
  },
  slowRequest: {
    description: 'a request is sent whose 401 takes its time',
    enabled: (state) =>
      state.posture === 'pass' &&
      state.flying === undefined &&
      state.tokens !== undefined &&
      state.wall < state.attentionAt &&
      !apiAccepts(state as Draft, passOf(state)),
    apply(draft) {
      draft.usedAt = draft.wall
      draft.usedSinceRenewal = true
      draft.flying = passOf(draft)
    },
  },
  slowRequestAnswered: {
    description: 'the late 401 arrives',
    enabled: ({ flying, held }) => flying !== undefined && held.length === 0,
    apply(draft) {
      const { flying } = draft
      draft.flying = undefined
      if (flying) unauthorized(draft, flying)
    },
  },
  stepUpRequest: {
    description: 'a request needs a stronger sign-in',
    enabled: (state) =>
      state.posture === 'pass' && state.wall < state.attentionAt && apiAccepts(state as Draft, passOf(state)),
    apply(draft) {
      draft.usedAt = draft.wall
      draft.usedSinceRenewal = true
      draft.send({ type: 'request.stepUp' })
    },
  },
  refresh: {
    description: 'the app asks for a refresh',
    enabled: (state) => state.renewals.length === 0 && !isIn(state, 'restoring', 'authenticating'),
    apply: refresh,
  },

  accessTokenDies: {
    description: 'the API takes the access token no more',
    enabled: ({ tokens, families }) =>
      tokens !== undefined && (families.get(tokens.family)?.refusedUpTo ?? 0) < tokens.rotation,
    apply: refuseAccessTokens,
  },
  refreshTokenDies: {
    description: 'the refresh token is revoked',
    enabled: ({ tokens, families, cookie }) =>
      families.get(tokens?.family ?? cookie ?? -1)?.refreshTokenAlive === true,
    apply: killRefreshTokens,
  },
  endpointFails: { description: 'the token endpoint answers 500', ...turns('fails') },
  endpointLimits: { description: 'the token endpoint answers 429', ...turns('limits') },
  endpointLosesAnswers: { description: 'the answers of the token endpoint get lost', ...turns('loses') },
  endpointHolds: { description: 'the token endpoint takes its time', ...turns('holds') },
  endpointRecovers: { description: 'the token endpoint answers again', ...turns('answers') },

  renewalDue: { description: 'a renewal comes due', ...passes(({ tokens }) => tokens?.renewAt) },
  tokenExpires: { description: 'the access token runs out', ...passes(({ tokens }) => tokens?.expiresAt) },
  retryDue: {
    description: 'the next try comes due',
    ...runsOut((state) => timerOf(state, 'untilRetry')),
  },
  cooledDown: {
    description: 'the exchange has cooled down',
    ...runsOut((state) => timerOf(state, 'untilCooledDown')),
  },
  callTimesOut: {
    description: 'the token endpoint has taken too long',
    ...runsOut(({ calls }) =>
      earliest(calls.filter(({ timedOut }) => !timedOut).map(({ timeoutAt }) => timeoutAt)),
    ),
  },
  holdTimesOut: {
    description: 'a request has waited too long',
    ...runsOut(({ held, renewals }) => earliest([...held, ...renewals].map(({ deadline }) => deadline))),
  },
  idleTooLong: {
    description: 'nobody used the session for as long as it may be idle',
    enabled: (state) => hasSession(state) && ahead(state.usedAt + state.settings.idle, state),
    apply: (draft) => draft.advance(draft.usedAt + draft.settings.idle - draft.wall),
  },
  livedTooLong: {
    description: 'the session has lived for as long as it may',
    enabled: (state) =>
      hasSession(state) && ahead((state.tokens?.startedAt ?? never) + state.settings.absolute, state),
    apply: (draft) =>
      draft.advance((draft.tokens?.startedAt ?? never) + draft.settings.absolute - draft.wall),
  },

  sleepPastRenewal: {
    description: 'the machine sleeps until a renewal is due',
    enabled: ({ tokens, wall }) => tokens !== undefined && tokens.renewAt > wall,
    apply: (draft) => sleep(draft, draft.tokens?.renewAt),
  },
  sleepPastExpiry: {
    description: 'the machine sleeps until the access token has run out',
    enabled: ({ tokens, wall }) => tokens !== undefined && tokens.expiresAt > wall,
    apply: (draft) => sleep(draft, draft.tokens?.expiresAt),
  },
  wake: {
    description: 'the page comes to the front again',
    enabled: () => true,
    apply: (draft) => draft.send({ type: 'environment.woke' }),
  },
  clockSetBack: {
    description: 'somebody sets the clock back',
    enabled: ({ wall, truth }) => wall === truth,
    apply(draft) {
      draft.wall -= SET_BACK
    },
  },
  networkDown: {
    description: 'the network goes',
    enabled: ({ online }) => online,
    apply(draft) {
      draft.online = false
      draft.send({ type: 'environment.offline' })
    },
  },
  networkUp: {
    description: 'the network comes back',
    enabled: ({ online }) => !online,
    apply(draft) {
      draft.online = true
      draft.send({ type: 'environment.online' })
    },
  },

  otherTabRenews: {
    description: 'another tab renews the tokens',
    enabled: canRenewElsewhere,
    apply(draft) {
      renewElsewhere(draft)
      draft.send({ type: 'session.sync' })
    },
  },
  otherTabRenewsUnheard: {
    description: 'another tab renews the tokens, and this one hears nothing of it',
    enabled: canRenewElsewhere,
    apply: renewElsewhere,
  },
  otherTabSignsOut: {
    description: 'the user signs out in another tab',
    enabled: ({ stored, storage }) => storage === 'works' && stored !== undefined,
    apply(draft) {
      draft.stored = undefined
      draft.send({ type: 'session.sync' })
    },
  },
  otherTabSignsInAsOther: {
    description: 'another user signs in in another tab',
    enabled: ({ storage }) => storage === 'works',
    apply(draft) {
      draft.advance(1)
      draft.stored = issue(draft, 'grace')
      draft.send({ type: 'session.sync' })
    },
  },
  storageBreaks: {
    description: 'the store fails from now on',
    enabled: ({ storage }) => storage === 'works',
    apply(draft) {
      draft.storage = 'broken'
    },
  },
} as const satisfies Record<string, ModelEvent>

export type ModelEventName = keyof typeof modelEvents

function canRenewElsewhere({ stored, storage, families, tokens }: ModelState): boolean {
  const family = stored && families.get(stored.family)
  return (
    storage === 'works' &&
    family?.refreshTokenAlive === true &&
    stored?.family === tokens?.family &&
    stored?.rotation === tokens?.rotation &&
    family.newest === stored?.rotation
  )
}

function renewElsewhere(draft: Draft) {
  const renewed = exchange(draft, draft.stored)
  if (renewed) draft.stored = renewed
}
