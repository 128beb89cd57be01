import type { AnyEventObject } from 'xstate'
import type { ExchangeFailure, TokenFacts } from '../../../machines/index.ts'
import { type Draft, record, without } from './draft.ts'
import { rejectHeld, rejectRenewals, setPosture, settleGate, timeOut } from './draft-gate.ts'
import { exchange, issue } from './draft-server.ts'
import {
  adopt,
  adoptNewer,
  begin,
  dismiss,
  erase,
  facts,
  keep,
  markOf,
  readStore,
  renew,
} from './draft-vault.ts'
import type { ResolvedModelSettings } from './model-options.ts'
import type { ModelCall, ModelState } from './model-state.ts'
import { type ChartDeed, type ChartStep, simulateChart } from './simulated-chart.ts'

const never = Number.POSITIVE_INFINITY

/** A start far from zero, so that no instant is mistaken for a length of time. */
const START = 1_700_000_000_000

/** The world of the test model: the real chart, and around it what the app, its servers and its user do. */
export interface ModelWorld {
  start(): ModelState
  /** The state after `change` was made to that one, and everything has come to rest. */
  after(state: ModelState, change: (draft: Draft) => void): ModelState
}

/**
 * Builds the world that the chart of a model lives in.
 *
 * @param settings how the app is set up
 */
export function createModelWorld(settings: ResolvedModelSettings): ModelWorld {
  /** The world of the step that is being made; there is one whenever the chart asks. */
  let world = undefined as unknown as Draft

  const until = (at: number | undefined) => (at === undefined ? never : Math.max(0, at - world.wall))
  const isDead = (at: number | undefined) => at !== undefined && world.wall >= at
  const idleAt = () => world.usedAt + settings.idle
  const diesAt = () => (world.tokens?.startedAt ?? never) + settings.absolute

  const chart = simulateChart({
    guards: {
      tokenStillWorks: ({ rejectedGeneration, generation, expiresAt }) =>
        rejectedGeneration !== generation && !isDead(expiresAt),
      renewalIsDue: ({ renewAt }) => isDead(renewAt),
      renewsByItself: () =>
        settings.renew === 'timer' || (settings.renew === 'activity' && world.usedSinceRenewal),
      idleLimitReached: () => world.wall >= idleAt(),
      lifetimeReached: () => world.wall >= diesAt(),
      mayRetryNow: ({ notBefore }) => world.wall >= notBefore,
      foundWorkingToken: (_, event) => {
        const { output } = event as { output?: TokenFacts }
        return output !== undefined && !isDead(output.expiresAt)
      },
    },
    delays: {
      untilRenewal: ({ renewAt }) => (settings.renew === 'demand' ? never : until(renewAt)),
      untilExpiry: ({ expiresAt }) => until(expiresAt),
      untilRetry: ({ retryAt, notBefore }) => until(Math.max(retryAt, notBefore)),
      untilCooledDown: ({ notBefore }) =>
        settings.renew === 'demand' ? never : Math.max(settings.maxDelay, until(notBefore)),
      untilSessionLimit: () => Math.max(1, until(Math.min(idleAt(), diesAt()))),
    },
  })

  function act(draft: Draft, deed: ChartDeed, event: AnyEventObject) {
    record(draft, deed)
    if (deed.kind !== 'action') return undefined
    const { standing, failure } = deed.context
    switch (deed.name) {
      case 'letRequestsPass':
        return setPosture(draft, 'pass')
      case 'holdRequests':
        return setPosture(draft, 'hold')
      case 'sendWithoutToken':
        return setPosture(draft, 'anonymous')
      case 'refuseRequests':
        if (standing !== 'expired' || settings.whenExpired === 'reject') return setPosture(draft, 'refuse')
        rejectRenewals(draft, 'session_expired')
        return setPosture(draft, 'hold')
      case 'rejectHeldRequests':
        return rejectHeld(draft, failure?.reason === 'timeout' ? 'refresh_timeout' : 'refresh_unavailable')
      case 'rejectRenewals':
        return rejectRenewals(
          draft,
          'session_expired',
          (generation) => !draft.tokens || generation >= draft.generation,
        )
      case 'eraseTokens':
        return erase(draft)
      case 'dismissSession':
        draft.credentials = undefined
        draft.leftBehind = draft.tokens !== undefined && event.type !== 'session.removed'
        return dismiss(draft, event.type !== 'session.removed')
      case 'syncWithStore':
        draft.jobs.push(() => sync(draft))
        return
      case 'lookForUse':
        // The bed's store is used by nobody else.
        return
      default:
        throw new Error(`The model does not know the action ${deed.name}`)
    }
  }

  function sync(draft: Draft) {
    const stored = readStore(draft)
    if (stored === 'gone') {
      if (draft.tokens) draft.send({ type: 'session.removed' })
    } else if (typeof stored === 'object') tellOfAdoption(draft, adopt(draft, stored))
  }

  function tellOfAdoption(draft: Draft, adopted: ReturnType<typeof adopt>) {
    if (!adopted) return
    const works = (adopted.facts.expiresAt ?? never) > draft.wall
    draft.send({ type: 'session.adopt', ...adopted, works })
  }

  const fail = (
    draft: Draft,
    failure: Partial<ExchangeFailure> & Pick<ExchangeFailure, 'reason'>,
    told = 0,
  ): ExchangeFailure => {
    const backoff = Math.min(settings.maxDelay, settings.minDelay * 2 ** draft.chart.context.attempt)
    return {
      fatal: false,
      uncertain: false,
      ...failure,
      retryAt: draft.wall + Math.max(backoff, told),
      notBefore: told > 0 ? draft.wall + told : 0,
    }
  }

  const done = (draft: Draft, id: string, output: unknown) =>
    draft.send({ type: `xstate.done.actor.${id}`, output, actorId: id })
  const failed = (draft: Draft, id: string, error: unknown) =>
    draft.send({ type: `xstate.error.actor.${id}`, error, actorId: id })

  /** Answers an invocation, where it can be answered now; `false` where it has to wait. */
  function answer(draft: Draft, id: string, src: string): boolean {
    if (draft.calls.some(({ waiter }) => waiter === id)) return false
    switch (src) {
      case 'readSession': {
        const stored = readStore(draft)
        if (stored === 'unreadable') failed(draft, id, {})
        else done(draft, id, typeof stored === 'object' ? adopt(draft, stored)?.facts : undefined)
        return true
      }
      case 'revokeTokens':
        if (!draft.leftBehind) done(draft, id, undefined)
        else return call(draft, { kind: 'revoke', waiter: id })
        return true
      case 'authenticate':
        return call(draft, { kind: 'signIn', waiter: id })
      default:
        return startExchange(draft, id)
    }
  }

  function startExchange(draft: Draft, id: string): boolean {
    const same = draft.calls.find(
      ({ kind, timedOut, mark }) => kind === 'exchange' && !timedOut && mark.change === draft.change,
    )
    if (same) {
      draft.calls = draft.calls.map((one) => (one === same ? { ...same, waiter: id } : one))
      return false
    }
    const adopted = adoptNewer(draft)
    if (adopted) done(draft, id, adopted.facts)
    else if (!draft.online) failed(draft, id, fail(draft, { reason: 'offline' }))
    else return call(draft, { kind: 'exchange', waiter: id })
    return true
  }

  /** Sends a request to the token endpoint. */
  function call(draft: Draft, { kind, waiter }: Pick<ModelCall, 'kind' | 'waiter'>): boolean {
    const { refreshTimeout, signInTimeout, revokeTimeout } = settings
    const timeout = { exchange: refreshTimeout, signIn: signInTimeout, revoke: revokeTimeout }[kind]
    const made: ModelCall = {
      kind,
      waiter,
      timedOut: false,
      timeoutAt: draft.uptime + timeout,
      mark: markOf(draft),
      tokens: draft.tokens,
      credentials: draft.credentials,
    }
    if (draft.endpoint === 'holds' && (kind === 'exchange' || draft.online)) {
      draft.calls = [...draft.calls, made]
      return false
    }
    finish(draft, made)
    return true
  }

  /** The token endpoint comes to a request. */
  function finish(draft: Draft, made: ModelCall) {
    if (made.kind === 'exchange') finishExchange(draft, made)
    else if (made.kind === 'signIn') finishSignIn(draft, made)
    else if (made.waiter !== undefined && draft.online) done(draft, made.waiter, undefined)
    else if (made.waiter !== undefined) failed(draft, made.waiter, {})
  }

  function finishExchange(draft: Draft, { waiter, timedOut, mark, tokens }: ModelCall) {
    const { endpoint } = draft
    const refused = (failure: ExchangeFailure) => {
      if (waiter !== undefined) failed(draft, waiter, failure)
    }
    if (endpoint === 'fails') return refused(fail(draft, { reason: 'server_error', status: 500 }))
    if (endpoint === 'limits')
      return refused(fail(draft, { reason: 'rate_limited', status: 429 }, settings.retryAfter))
    const given = exchange(draft, tokens)
    // The signal has closed the connection; the server acted all the same.
    if (timedOut) return
    if (endpoint === 'loses') return refused(fail(draft, { reason: 'network', uncertain: true }))
    if (!given) {
      const saved = adoptNewer(draft)
      if (saved && waiter !== undefined) return done(draft, waiter, saved.facts)
      return refused(fail(draft, { reason: 'invalid_grant', fatal: true, status: 400 }))
    }
    const committed = renew(draft, mark, given)
    if (!committed) return draft.send({ type: 'exchange.discarded', reason: 'superseded' })
    if (waiter !== undefined) done(draft, waiter, committed)
    else draft.send({ type: 'session.adopt', facts: committed, works: true, renewal: true })
    keep(draft)
  }

  function finishSignIn(draft: Draft, { waiter, credentials, timedOut }: ModelCall) {
    const { endpoint, online } = draft
    const answered = online && (endpoint === 'answers' || endpoint === 'holds')
    const accepted = answered && credentials?.accepted === true
    const given =
      accepted || (endpoint === 'loses' && online && credentials?.accepted) ? credentials : undefined
    const tokens = given && issue(draft, given.subject)
    if (waiter === undefined || timedOut) {
      if (accepted && !timedOut) draft.send({ type: 'exchange.discarded', reason: 'session_over' })
    } else if (accepted && tokens) {
      done(draft, waiter, begin(draft, tokens))
      keep(draft)
    } else {
      failed(draft, waiter, {})
    }
  }

  /** Nobody waits for it any more; what it brings may still be of use. */
  function timeOutCall(draft: Draft, late: ModelCall) {
    const { waiter, kind } = late
    draft.calls = draft.calls.map((one) =>
      one === late ? { ...late, waiter: undefined, timedOut: true } : one,
    )
    if (waiter === undefined) return
    const failure = kind === 'exchange' ? fail(draft, { reason: 'timeout', uncertain: true }) : {}
    failed(draft, waiter, failure)
  }

  function answerCalls(draft: Draft) {
    for (const { waiter: _, ...first } of [...draft.calls]) {
      const made = draft.calls.find(
        ({ mark, kind, timeoutAt }) =>
          mark === first.mark && kind === first.kind && timeoutAt === first.timeoutAt,
      )
      if (!made) continue
      draft.calls = draft.calls.filter((one) => one !== made)
      finish(draft, made)
      settle(draft)
    }
  }

  function advance(draft: Draft, ms: number) {
    const end = draft.uptime + ms
    for (;;) {
      settle(draft)
      const timers = [...draft.timers].map(([id, { due, event }]) => ({
        due,
        fire() {
          draft.timers = without(draft.timers, id)
          draft.send(event)
        },
      }))
      const timeouts = draft.calls
        .filter(({ timedOut }) => !timedOut)
        .map((one) => ({ due: one.timeoutAt, fire: () => timeOutCall(draft, one) }))
      const deadlines = [...draft.held, ...draft.renewals].map(({ deadline }) => ({
        due: deadline,
        fire: () => timeOut(draft),
      }))
      const next = [...timers, ...timeouts, ...deadlines].sort((a, b) => a.due - b.due)[0]
      const now = next && next.due <= end ? next.due : end
      const passed = Math.max(0, now - draft.uptime)
      draft.uptime += passed
      draft.wall += passed
      draft.truth += passed
      if (!next || next.due > end) return
      next.fire()
    }
  }

  function settle(draft: Draft) {
    for (;;) {
      const job = draft.jobs.shift()
      if (job) {
        job()
        continue
      }
      if (![...draft.running].some(([id, src]) => draft.running.has(id) && answer(draft, id, src))) return
    }
  }

  /** The chart has finished a step. */
  function rest(draft: Draft, { snapshot, taken, visited }: ChartStep) {
    draft.chart = snapshot
    draft.taken = [...draft.taken, ...taken]
    draft.visited = [...draft.visited, ...visited]
    settleGate(draft)
  }

  function open(state: ModelState): Draft {
    const counts = { held: 0, released: 0, replayed: 0, rejected: 0, told: false }
    const mailbox: AnyEventObject[] = []
    const draft: Draft = {
      ...state,
      taken: [],
      visited: [],
      emitted: [],
      outcomes: [],
      jobs: [],
      counts,
      send(event) {
        mailbox.push(event)
        if (mailbox.length > 1) return
        for (const next of mailbox) {
          rest(
            draft,
            chart.step(draft.chart, next, (deed) => act(draft, deed, next)),
          )
        }
        mailbox.length = 0
      },
      advance: (ms) => advance(draft, ms),
      answerCalls: () => answerCalls(draft),
    }
    world = draft
    return draft
  }

  const close = ({
    jobs: _1,
    counts: _2,
    send: _3,
    advance: _4,
    answerCalls: _5,
    ...state
  }: Draft): ModelState => state

  return {
    start() {
      const draft = open({ ...EMPTY, settings, endpoint: settings.endpoint })
      const { start } = settings
      draft.storage = start === 'noStorage' ? 'none' : start === 'storageBroken' ? 'broken' : 'works'
      if (start === 'stored') draft.stored = issue(draft, 'ada')
      if (start === 'storedExpired') draft.stored = issue(draft, 'ada', 0)
      if (start === 'cookie') draft.cookie = issue(draft, 'ada').family
      const starts = start.startsWith('initialTokens')
      if (starts) {
        const tokens = issue(draft, 'ada', start === 'initialTokensExpired' ? 0 : settings.lifetime)
        begin(draft, { ...tokens, renewable: start !== 'initialTokensLast' })
      }
      const { attempts, ambiguousRefresh, silentSignIn } = settings
      const restores = draft.storage !== 'none'
      const policy = { attempts, ambiguousRefresh, silentSignIn, restores }
      const input = { policy, ...(starts && { initial: facts(draft) }) }
      rest(
        draft,
        chart.start(input, (deed) => act(draft, deed, { type: 'xstate.init' })),
      )
      if (starts) keep(draft)
      advance(draft, 0)
      return close(draft)
    },
    after(state, change) {
      const draft = open(state)
      change(draft)
      advance(draft, 0)
      return close(draft)
    },
  }
}

const EMPTY: Omit<ModelState, 'settings'> = {
  chart: undefined as never,
  timers: new Map(),
  running: new Map(),
  calls: [],
  uptime: 0,
  wall: START,
  truth: START,
  online: true,
  endpoint: 'answers',
  families: new Map(),
  cookie: undefined,
  storage: 'works',
  stored: undefined,
  storeHolds: false,
  storeFailureTold: false,
  epoch: 0,
  generation: 0,
  change: 0,
  tokens: undefined,
  predecessor: undefined,
  credentials: undefined,
  leftBehind: false,
  posture: 'hold',
  attentionAt: Number.NEGATIVE_INFINITY,
  usedAt: START,
  usedSinceRenewal: false,
  usedEpoch: -1,
  usedGeneration: -1,
  held: [],
  renewals: [],
  doubt: undefined,
  flying: undefined,
  taken: [],
  visited: [],
  emitted: [],
  outcomes: [],
}
