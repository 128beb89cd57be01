import { topState } from '../../../machines/index.ts'
import { apiAccepts, issue, refreshOnServer, refuseAccessTokens, revokeRefreshTokens } from './auth-server.ts'
import { setEndpoint } from './calls.ts'
import type { Endpoint } from './model-options.ts'
import { countHeld, type Draft, grantOf, type ModelState, modeOf, type Subject } from './model-state.ts'
import { credentialOf, nextCheckAt, receive401, refresh, request, useToken } from './requests.ts'
import { advance, duesOf, sleep } from './time.ts'
import { begin, endElsewhere, persist } from './tokens.ts'

/** Whether an event can happen in a state, and would change something. */
type When = (state: ModelState) => boolean
type Apply = (draft: Draft) => void

/** Something that can happen to a session. The description says what a driver has to make happen. */
const event = (description: string, enabled: When, apply: Apply) => ({ description, enabled, apply })

/** How far `clockSetBack` sets the clock back, in milliseconds. */
const SET_BACK = 600_000

const NEVER = Number.POSITIVE_INFINITY

const send = (type: string) => (draft: Draft) => draft.send({ type })
const set = (change: Partial<Draft>) => (draft: Draft) => void Object.assign(draft, change)
const then =
  (...all: Apply[]): Apply =>
  (draft) => {
    for (const apply of all) apply(draft)
  }

const isRestored: When = ({ chart }) => topState(chart.value) !== 'restoring'
const isSigningIn: When = ({ chart }) => topState(chart.value) === 'authenticating'
const noRequestWaits: When = (state) => countHeld(state) === 0
/** Whether a request would be sent at once, with the current token. */
const passes: When = (state) => modeOf(state) === 'pass' && state.wall < nextCheckAt(state)
const isAccepted: When = (state) => apiAccepts(state, credentialOf(state))
const mayRefuse: When = (state) => {
  const { tokens } = state
  return tokens !== undefined && (grantOf(state, tokens)?.refusedUpTo ?? 0) < tokens.rotation
}
const storeWorks: When = ({ storage }) => storage === 'works'
const holdsSession: When = (state) => storeWorks(state) && state.stored !== undefined

const maySignIn: When = ({ calls }) => !calls.some(({ kind }) => kind === 'signIn')
const signIn = (subject: Subject, accepted: boolean) =>
  then(set({ credentials: { subject, accepted } }), send('session.signIn'))

const setTokens =
  (lifetime?: number): Apply =>
  (draft) => {
    const facts = begin(draft, issue(draft, 'ada', lifetime))
    draft.send({ type: 'tokens.received', facts, refreshed: false })
    persist(draft)
  }

/** From one failure to another only by way of an answer. What waits may be answered in any way. */
const endpointTurns = (description: string, next: Endpoint) =>
  event(
    description,
    ({ endpoint: now }) => now !== next && (now === 'answers' || now === 'holds' || next === 'answers'),
    (draft) => setEndpoint(draft, next),
  )

const networkTurns = (description: string, online: boolean) =>
  event(
    description,
    (state) => state.online !== online,
    then(set({ online }), send(online ? 'environment.online' : 'environment.offline')),
  )

/** Time passes, in milliseconds; infinitely much: it cannot. */
const timePasses = (description: string, ms: (state: ModelState) => number, pass = advance) =>
  event(
    description,
    (state) => ms(state) > 0 && ms(state) < NEVER,
    (draft) => pass(draft, ms(draft)),
  )
const toRefresh = ({ tokens, wall }: ModelState) => (tokens?.refreshAt ?? NEVER) - wall
const toExpiry = ({ tokens, wall }: ModelState) => (tokens?.expiresAt ?? NEVER) - wall
/** To a timer of the chart, the timeout of a call, or the deadline of what waits. */
const toTimer = (name: RegExp) => (state: ModelState) =>
  Math.min(NEVER, ...duesOf(state).map(({ id, due }) => (name.test(id) ? due : NEVER))) - state.uptime
/** To an instant of an active session. */
const toLimit = ({ chart, wall }: ModelState, instant: number) =>
  (chart.context.status === 'active' ? instant : NEVER) - wall

const mayRefreshElsewhere: When = (state) => {
  const { stored, storage, tokens } = state
  const grant = grantOf(state, stored)
  const isSame = stored !== undefined && stored.id === tokens?.id && stored.rotation === tokens.rotation
  return storage === 'works' && isSame && grant?.isRevoked === false && grant.newest === stored.rotation
}
const refreshElsewhere: Apply = (draft) => {
  const { stored } = draft
  const issued = refreshOnServer(draft, stored)
  if (stored && issued) draft.stored = { ...issued, startedAt: stored.startedAt }
}

/** Everything that can happen to a session, by name. */
export const modelEvents = {
  signIn: event('the user signs in', maySignIn, signIn('ada', true)),
  signInRefused: event('a sign-in is rejected', maySignIn, signIn('ada', false)),
  signInAsOther: event('another user signs in', maySignIn, signIn('grace', true)),
  signOut: event('the user signs out', isRestored, send('session.signOut')),
  adoptTokens: event('the app sets tokens of its own', isRestored, setTokens()),
  adoptExpiredTokens: event('the app sets tokens that have expired', isRestored, setTokens(0)),

  request: event('a request is sent', noRequestWaits, request),
  slowRequest: event(
    'a request is sent whose 401 is delayed',
    (state) => !state.flying && passes(state) && !isAccepted(state),
    then(useToken, (draft) => {
      draft.flying = credentialOf(draft)
    }),
  ),
  slowRequestAnswered: event(
    'the delayed 401 arrives',
    (state) => state.flying !== undefined && noRequestWaits(state),
    (draft) => {
      const { flying } = draft
      draft.flying = undefined
      if (flying) receive401(draft, flying)
    },
  ),
  stepUpRequest: event(
    'a request needs a stronger sign-in',
    (state) => passes(state) && isAccepted(state),
    then(useToken, send('request.stepUp')),
  ),
  refresh: event(
    'the app asks for a refresh',
    (state) =>
      isRestored(state) && !isSigningIn(state) && !state.waiting.some(({ kind }) => kind === 'refresh'),
    refresh,
  ),

  accessTokenDies: event('the API refuses the access token from now on', mayRefuse, refuseAccessTokens),
  refreshTokenDies: event(
    'the refresh token is revoked',
    (state) => grantOf(state, state.tokens)?.isRevoked === false,
    revokeRefreshTokens,
  ),
  endpointFails: endpointTurns('the token endpoint answers 500', 'fails'),
  endpointLimits: endpointTurns('the token endpoint answers 429', 'limits'),
  endpointLosesAnswers: endpointTurns('the answers of the token endpoint are lost', 'loses'),
  endpointHolds: endpointTurns('the token endpoint delays its answers', 'holds'),
  endpointRecovers: endpointTurns('the token endpoint answers again', 'answers'),

  renewalDue: timePasses('a refresh is due', toRefresh),
  tokenExpires: timePasses('the access token expires', toExpiry),
  retryDue: timePasses('the next attempt is due', toTimer(/\.untilRetry\./)),
  cooledDown: timePasses('the refresh has cooled down', toTimer(/\.untilCooledDown\./)),
  callTimesOut: timePasses('a call to the token endpoint times out', toTimer(/^call$/)),
  holdTimesOut: timePasses('a request has waited for too long', toTimer(/^hold$/)),
  idleTooLong: timePasses('the session reaches its idle limit', (state) =>
    toLimit(state, state.usedAt + state.settings.limits.idle),
  ),
  livedTooLong: timePasses('the session reaches its absolute limit', (state) =>
    toLimit(state, (state.tokens?.startedAt ?? NEVER) + state.settings.limits.absolute),
  ),

  sleepPastRenewal: timePasses('the machine sleeps until a refresh is due', toRefresh, sleep),
  sleepPastExpiry: timePasses('the machine sleeps until the access token has expired', toExpiry, sleep),
  wake: event('the page becomes visible again', () => true, send('environment.resumed')),
  clockSetBack: event(
    'the clock is set back',
    ({ wall, serverTime }) => wall === serverTime,
    (draft) => {
      draft.wall -= SET_BACK
    },
  ),
  networkDown: networkTurns('the network is lost', false),
  networkUp: networkTurns('the network is back', true),

  otherTabRenews: event(
    'another tab refreshes the tokens',
    mayRefreshElsewhere,
    then(refreshElsewhere, send('store.changed')),
  ),
  otherTabRenewsUnheard: event(
    'another tab refreshes the tokens, and this tab is not notified',
    mayRefreshElsewhere,
    refreshElsewhere,
  ),
  otherTabSignsOut: event('the user signs out in another tab', holdsSession, (draft) =>
    endElsewhere(draft, 'signed_out'),
  ),
  otherTabExpires: event(
    'the session expires in another tab',
    holdsSession,
    then(revokeRefreshTokens, (draft) => endElsewhere(draft, 'invalid_grant')),
  ),
  otherTabSignsInAsOther: event('another user signs in in another tab', storeWorks, (draft) => {
    advance(draft, 1)
    draft.stored = issue(draft, 'grace')
    draft.send({ type: 'store.changed' })
  }),
  storageBreaks: event('the store fails from now on', storeWorks, set({ storage: 'broken' })),
} as const

/** The name of an event of the test model: `request`, `accessTokenDies`, `networkDown`. */
export type ModelEventName = keyof typeof modelEvents
