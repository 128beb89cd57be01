import { createActor } from 'xstate'
import type { AuthEvent, TokenFacts } from '../../machines/index.ts'
import { createAccessToken } from './access-token.ts'
import { shieldActor } from './actor-shield.ts'
import { type AccessTokenOptions, type Auth, type AuthState, GATE } from './auth.ts'
import { backgroundClock } from './background-clock.ts'
import { DisposedError, SessionExpiredError, SignedOutError } from './errors.ts'
import { createExchange } from './exchange.ts'
import { createGate } from './gate.ts'
import { createLastUse } from './last-use.ts'
import { createListeners } from './listeners.ts'
import { createMilestones } from './milestones.ts'
import { type AuthOptions, settle } from './options.ts'
import type { Clock, Environment, TokenResponse } from './ports.ts'
import { provide } from './provide.ts'
import { renewalTime } from './renewal-time.ts'
import { createRevocations } from './revocations.ts'
import { createSessionStore } from './session-store.ts'
import { createSignIns } from './sign-ins.ts'
import { createTimed } from './timed.ts'
import { parseTokenResponse, type Tokens } from './token-response.ts'
import { localTurns } from './turns.ts'
import { createVault, type Session } from './vault.ts'

/** What the runtime stands in for where the user names nothing. */
export interface Defaults {
  readonly clock: Clock
  readonly environment: Environment
  /** Where errors of listeners go. */
  readonly report: (error: unknown) => void
}

/** `createAuth`, with every port given. Use the one from `authchart`. */
export function createAuthWith<Credentials, Claims>(
  options: AuthOptions<Credentials>,
  defaults: Defaults,
): Auth<Credentials, Claims> {
  const settings = settle(options as AuthOptions<never>)
  const { clock = defaults.clock, environment = defaults.environment } = options
  const { silentSignIn, persist } = settings
  const cookie = silentSignIn || persist === 'refresh-token'
  const { coordinator = cookie ? localTurns() : undefined } = options
  const timed = createTimed(clock)
  const vault = createVault({
    now: () => clock.now(),
    renewAt: (tokens) => renewalTime(tokens, settings.refreshAhead),
    cookie,
  })
  let disposed = false

  const send = (event: AuthEvent) => {
    if (!disposed) actor.send(event)
  }

  const store = createSessionStore(options.storage, {
    clock,
    timeout: settings.timeouts.storage,
    persist,
    onFailure: ({ reason = 'failed' }) => send({ type: 'storage.failed', reason }),
  })

  const lastUse = createLastUse({
    storage: options.storage,
    clock,
    timed,
    limit: settings.limits.idle,
    timeout: settings.timeouts.storage,
    onAnswer: () => send({ type: 'session.check' }),
  })

  const gate = createGate({
    vault,
    clock,
    send,
    queueLimit: settings.queueLimit,
    holdTimeout: settings.timeouts.hold,
    lastUse,
    idleLimit: settings.limits.idle,
    concurrency: settings.concurrency,
    doubtTime: settings.retry.maxDelay,
  })

  const revocations = createRevocations({
    revoke: options.revoke,
    timed,
    timeout: settings.timeouts.revoke,
    inTurn: (task, time) => exchange.inTurn(task, time),
    isCookieTaken,
    hasSession: () => vault.tokens !== undefined,
  })

  /** In cookie mode it is the cookie's session that is revoked: another one, where somebody signed in meanwhile. */
  function isCookieTaken() {
    return vault.isInCookie && (vault.tokens !== undefined || state() === 'authenticating')
  }

  function discard(tokens: Tokens, revokes = true) {
    if (revokes && !isCookieTaken()) void revocations.revokeNow(tokens)
    send({ type: 'exchange.discarded', reason: revokes ? 'session_over' : 'superseded' })
  }

  function announce(type: 'changed' | 'ended', session?: string) {
    try {
      const { epoch, generation } = vault
      // Tabs without a store have no name for the session in common.
      const named = session !== undefined && store.keepsSession
      coordinator?.announce({ type, epoch, generation, ...(named && { session }) })
    } catch (error) {
      defaults.report(error)
    }
  }

  const exchange = createExchange({
    vault,
    store,
    lastUse,
    clock,
    environment,
    coordinator,
    timed,
    settings,
    refresh: options.refresh,
    isFatal: options.isFatal,
    send,
    announceChange: () => announce('changed'),
    discard,
  })

  const signIns = createSignIns({
    vault,
    clock,
    timed,
    timeout: settings.timeouts.signIn,
    signIn: options.signIn as AuthOptions<never>['signIn'],
    keep: exchange.keep,
    inTurn: exchange.inTurn,
    discard,
  })

  const adopt = (facts: TokenFacts, renewal: boolean) => {
    const works = facts.expiresAt === undefined || facts.expiresAt > clock.now()
    send({ type: 'session.adopt', facts, works, renewal })
  }

  async function syncWithStore(): Promise<void> {
    const mark = vault.mark()
    const record = await store.read()
    // Ended by itself meanwhile, it has not seen yet what it was told of. Whoever signed out has.
    if (!vault.tokens && !vault.isCurrent(mark) && mark.epoch === vault.epoch) return syncWithStore()
    if (record === 'gone') {
      if (vault.tokens && vault.isCurrent(mark)) send({ type: 'session.removed' })
    } else if (typeof record === 'object') {
      const adopted = await exchange.takeOver(record, mark)
      if (adopted) adopt(adopted.facts, adopted.renewal)
    }
  }

  let initial: TokenFacts | undefined
  if (options.initialTokens) {
    initial = vault.begin(parseTokenResponse(options.initialTokens, clock.now(), false))
  }

  const machine = provide({
    vault,
    gate,
    lastUse,
    store,
    clock,
    settings,
    exchange,
    signIns,
    async revokePending() {
      const cleared = store.idle()
      if (revocations.isEmpty) {
        // Signed out before it was restored: what there is to revoke, only the store knows, or a cookie.
        await cleared
        if (revocations.isEmpty && silentSignIn && vault.isInCookie) revocations.leaveBehind({})
      }
      try {
        await revocations.revokeLeftBehind()
      } finally {
        await cleared
      }
    },
    revoke: (tokens) => void revocations.revokeNow(tokens),
    leaveBehind(tokens) {
      signIns.cancel(new SignedOutError({ reason: 'signed_out' }))
      if (tokens) revocations.leaveBehind(tokens)
    },
    revokeLater: revocations.leaveBehind,
    announce,
    syncWithStore: () => void syncWithStore(),
    adoptLate: (facts) => {
      if (vault.tokens && facts.epoch === vault.epoch && facts.generation === vault.generation)
        adopt(facts, true)
    },
  })

  const { retry, ambiguousRefresh } = settings
  const actor = createActor(machine, {
    input: {
      policy: {
        attempts: retry.attempts,
        ambiguousRefresh,
        silentSignIn,
        restores: store.keepsSession,
      },
      ...(initial && { initial }),
    },
    clock: backgroundClock(clock),
  })
  shieldActor(actor, { now: () => clock.now(), report: defaults.report })

  const listeners = createListeners(settings.historyLimit, defaults.report)
  const milestones = createMilestones(clock)
  actor.on('*', listeners.hear)

  const state = () => {
    const { value } = actor.getSnapshot()
    return (typeof value === 'string' ? value : Object.keys(value)[0]) as AuthState
  }

  actor.subscribe(() => {
    gate.settle()
    if (state() !== 'authenticating') signIns.settle()
    milestones.settle()
  })

  const current = () => vault.session as Session<Claims>
  const over = (): never => {
    throw new SignedOutError()
  }

  async function nextGeneration(wait: AccessTokenOptions = {}) {
    if (disposed) throw new DisposedError()
    const renewed = gate.nextGeneration(wait)
    send({ type: 'session.refresh' })
    await renewed
  }

  const stops: (() => void)[] = []
  const listen = (subscribe: () => () => void) => {
    try {
      stops.push(subscribe())
    } catch (error) {
      defaults.report(error)
    }
  }

  function dispose() {
    if (disposed) return
    const error = new DisposedError()
    actor.stop()
    disposed = true
    for (const stop of stops) {
      try {
        stop()
      } catch (thrown) {
        defaults.report(thrown)
      }
    }
    exchange.dispose(error)
    timed.abortAll(error)
    lastUse.dispose()
    store.dispose()
    signIns.cancel(error)
    gate.dispose()
    milestones.dispose(error)
    listeners.dispose()
  }

  const auth: Auth<Credentials, Claims> = {
    actor,
    get state() {
      return state()
    },
    get session() {
      return vault.session as Session<Claims> | undefined
    },
    get endsAt() {
      const { startedAt = Number.NaN } = vault
      const { idle, absolute } = settings.limits
      const end = Math.min(lastUse.known + idle, startedAt + absolute)
      return Number.isFinite(end) ? end : undefined
    },
    get history() {
      return listeners.history()
    },
    ready: () => milestones.reached(() => state() !== 'restoring'),
    async signIn(credentials) {
      if (disposed) throw new DisposedError()
      if (!options.signIn)
        throw new TypeError('createAuth was given no signIn function. Give it one, or use setTokens().')
      const signedIn = signIns.begin(credentials)
      send({ type: 'session.signIn' })
      return (await signedIn) as Session<Claims>
    },
    async signOut() {
      if (disposed) return
      send({ type: 'session.signOut' })
      // Called from a listener, the chart takes the event up once it has finished its step.
      await Promise.resolve()
      // Signed out and disposed of at once: it is over either way.
      await milestones.reached(() => state() !== 'signingOut').catch(() => {})
    },
    async setTokens(response: TokenResponse) {
      if (disposed) throw new DisposedError()
      const facts = vault.begin(parseTokenResponse(response, clock.now(), false))
      const session = current()
      adopt(facts, false)
      await exchange.keep()
      return session
    },
    async refresh() {
      if (disposed) throw new DisposedError()
      await auth.ready()
      const { generation } = vault
      await milestones.reached(() => state() !== 'authenticating')
      // In a machine that slept it may be over, and no timer has said so yet.
      send({ type: 'session.check' })
      // A sign-in that was under way has brought new tokens, or left things as they were.
      if (vault.tokens && vault.generation !== generation) return current()
      if (state() === 'expired') throw new SessionExpiredError({ reason: actor.getSnapshot().context.reason })
      if (!vault.tokens) throw new SignedOutError()
      await nextGeneration()
      return current() ?? over()
    },
    getAccessToken: createAccessToken({ vault, gate, clock, nextGeneration }) as Auth['getAccessToken'],
    on: listeners.on,
    dispose,
    // Browsers without explicit resource management have no such symbol, and there nobody asks for it.
    [Symbol.dispose ?? GATE]: dispose,
    [GATE]: gate,
  } as Auth<Credentials, Claims>

  actor.start()
  if (initial) void exchange.keep()
  listen(() => store.subscribe(() => send({ type: 'session.sync' })))
  if (coordinator) {
    listen(() =>
      coordinator.subscribe(({ type, session }) => {
        // A message about another session is late: what became of ours, the store knows.
        const ours = session === undefined || vault.id === undefined || session === vault.id
        if (type === 'ended' && ours) vault.invalidate()
        send({ type: type === 'ended' && ours ? 'session.removed' : 'session.sync' })
      }),
    )
  }
  const chartHears = {
    online: 'environment.online',
    offline: 'environment.offline',
    visible: 'environment.woke',
    wake: 'environment.woke',
  } as const
  for (const kind of ['online', 'offline', 'visible', 'wake'] as const) {
    listen(() => environment.subscribe(kind, () => send({ type: chartHears[kind] })))
  }
  return auth
}
