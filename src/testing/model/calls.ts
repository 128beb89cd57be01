import type { AnyActorRef } from 'xstate'
import type { RefreshFailure, TokenFacts } from '../../../machines/index.ts'
import { nextRetry } from '../../../machines/policies.ts'
import { issue, refreshOnServer } from './auth-server.ts'
import type { Endpoint } from './model-options.ts'
import { type Draft, isAwaited, type ModelCall } from './model-state.ts'
import { begin, commit, mergeStored, persist } from './tokens.ts'

/** What the chart invokes, and the calls to the token endpoint that follow from it. */

const FAILURES = {
  fails: { reason: 'server_error', status: 500 },
  limits: { reason: 'rate_limited', status: 429 },
} as const

const done = (draft: Draft, { id }: AnyActorRef, output?: unknown) =>
  draft.send({ type: `xstate.done.actor.${id}`, output, actorId: id })

/** Starts what the chart invoked and nothing answers yet. Returns false if there is nothing. */
function startInvoked(draft: Draft): boolean {
  const { chart, calls } = draft
  const invoked = (Object.values(chart.children) as AnyActorRef[]).find(
    (child) => !calls.some(({ waiter }) => waiter === child),
  )
  if (!invoked) return false
  const { src } = invoked
  if (src === 'restoreSession') done(draft, invoked, mergeStored(draft)?.facts)
  else if (src === 'refreshTokens') startRefresh(draft, invoked)
  else if (src === 'authenticate') call(draft, 'signIn', invoked)
  else if (draft.revokes) call(draft, 'revoke', invoked)
  else done(draft, invoked)
  return true
}

function change(draft: Draft, call: ModelCall, change: Partial<ModelCall>) {
  draft.calls = draft.calls.map((one) => (one === call ? { ...call, ...change } : one))
}

function startRefresh(draft: Draft, waiter: AnyActorRef) {
  const running = draft.calls.find(
    ({ kind, timedOut, revision }) => kind === 'refresh' && !timedOut && revision === draft.revision,
  )
  if (running) return change(draft, running, { waiter })
  const merged = mergeStored(draft)
  if (merged) done(draft, waiter, merged.facts)
  else call(draft, 'refresh', waiter)
}

/** Calls the token endpoint. */
function call(draft: Draft, kind: ModelCall['kind'], waiter: AnyActorRef) {
  const { uptime, revision, tokens, credentials, settings } = draft
  const timeoutAt = uptime + settings.timeouts[kind]
  const made: ModelCall = { kind, waiter, timedOut: false, timeoutAt, revision, tokens, credentials }
  if (!draft.online) fail(draft, made, { reason: 'offline' })
  else if (draft.endpoint === 'holds') draft.calls = [...draft.calls, made]
  else answer(draft, made)
}

/** A call failed. A revocation that fails is done all the same, and not attempted again. The model has no jitter. */
function fail(draft: Draft, made: ModelCall, facts: Partial<RefreshFailure>, retryAfter = 0) {
  if (!isAwaited(draft, made)) return
  const { kind, waiter } = made
  if (kind === 'revoke') {
    draft.send({
      type: 'revocation.failed',
      reason: facts.reason === 'timeout' ? 'timeout' : 'invalid_request',
    })
    return done(draft, waiter)
  }
  const { chart, settings, wall } = draft
  const times = nextRetry(settings.retry, chart.context.attempt, retryAfter, wall, 0)
  const error: RefreshFailure = { fatal: false, ambiguous: false, reason: 'network', ...facts, ...times }
  draft.send({ type: `xstate.error.actor.${waiter.id}`, error, actorId: waiter.id })
}

/** The token endpoint answers a call. */
function answer(draft: Draft, made: ModelCall) {
  const { endpoint, settings } = draft
  // Only the token endpoint fails.
  if (made.kind === 'revoke') {
    if (isAwaited(draft, made)) done(draft, made.waiter)
  } else if (endpoint === 'fails') fail(draft, made, FAILURES.fails)
  else if (endpoint === 'limits') fail(draft, made, FAILURES.limits, settings.retryAfter)
  else if (made.kind === 'refresh') answerRefresh(draft, made)
  else answerSignIn(draft, made)
}

function answerRefresh(draft: Draft, made: ModelCall) {
  const issued = refreshOnServer(draft, made.tokens)
  // After a timeout the connection is closed, but the server has acted all the same.
  if (made.timedOut) return
  if (draft.endpoint === 'loses') return fail(draft, made, { ambiguous: true })
  if (!issued) {
    // Another tab may have sent this refresh token first.
    const merged = mergeStored(draft)
    if (merged) return deliver(draft, made, merged.facts)
    return fail(draft, made, { reason: 'invalid_grant', fatal: true, status: 400 })
  }
  const facts = commit(draft, made.revision, issued)
  if (!facts) return draft.send({ type: 'tokens.discarded', reason: 'superseded' })
  persist(draft)
  deliver(draft, made, facts)
}

/** The tokens are in memory even if the chart has stopped waiting for them: then it is notified. */
function deliver(draft: Draft, made: ModelCall, facts: TokenFacts) {
  if (isAwaited(draft, made)) done(draft, made.waiter, facts)
  else draft.send({ type: 'tokens.received', facts, refreshed: true })
}

function answerSignIn(draft: Draft, made: ModelCall) {
  const { credentials, timedOut, waiter } = made
  const issued = credentials?.accepted && issue(draft, credentials.subject)
  if (!issued || draft.endpoint === 'loses') return fail(draft, made, {})
  if (isAwaited(draft, made)) {
    const facts = begin(draft, issued)
    persist(draft)
    done(draft, waiter, facts)
  } else if (!timedOut) draft.send({ type: 'tokens.discarded', reason: 'session_over' })
}

/** The app stops waiting for a call. */
export function timeOut(draft: Draft, late: ModelCall) {
  change(draft, late, { timedOut: true })
  fail(draft, late, { reason: 'timeout', ambiguous: true })
}

/** Lets everything happen that happens at once. */
export function settle(draft: Draft) {
  for (;;) {
    const job = draft.jobs.shift()
    if (job) job()
    else if (!startInvoked(draft)) return
  }
}

/** Changes how the token endpoint answers. It answers the calls that it held, unless it holds all from now on. */
export function setEndpoint(draft: Draft, endpoint: Endpoint) {
  draft.endpoint = endpoint
  while (endpoint !== 'holds' && draft.calls[0]) {
    const [first, ...rest] = draft.calls
    draft.calls = rest
    answer(draft, first)
    settle(draft)
  }
}
