import { createActor } from 'xstate'
import type { AuthEmitted, AuthEvent, TokenFacts } from '../../machines/index.ts'
import { shieldActor } from './actor-shield.ts'
import { type AccessTokenOptions, type Auth, type AuthState, GATE } from './auth.ts'
import { DisposedError, SessionExpiredError, SignedOutError } from './errors.ts'
import { createExchange } from './exchange.ts'
import { createGate } from './gate.ts'
import { type AuthOptions, settle } from './options.ts'
import type { Clock, Environment, TokenResponse } from './ports.ts'
import { provide } from './provide.ts'
import { createSessionStore } from './session-store.ts'
import { createSignIns } from './sign-ins.ts'
import { createTimed } from './timed.ts'
import { parseTokenResponse, type Tokens } from './token-response.ts'
import { createVault, type Session } from './vault.ts'

/** What the runtime stands in for where the user names nothing. */
export interface Defaults {
  readonly clock: Clock
  readonly environment: Environment
  /** Where errors of listeners go. */
  readonly report: (error: unknown) => void
}

/** A fifth of a token's life, at most a minute, is time enough to renew it in. */
const AHEAD_SHARE = 0.2
const AHEAD_MOST = 60_000

/** `createAuth`, with every port given. Use the one from `authchart`. */
export function createAuthWith<Credentials, Claims>(
  options: AuthOptions<Credentials>,
  defaults: Defaults,
): Auth<Credentials, Claims> {
  const settings = settle(options as AuthOptions<never>)
  const { clock = defaults.clock, environment = defaults.environment, coordinator, revoke } = options
  const timed = createTimed(clock)
  const vault = createVault({ now: () => clock.now(), renewAt })
  let disposed = false

  function renewAt({ receivedAt, expiresAt }: Tokens) {
    if (expiresAt === undefined) return undefined
    const lifetime = Math.max(0, expiresAt - receivedAt)
    const ahead = settings.refreshAhead ?? Math.min(AHEAD_MOST, lifetime * AHEAD_SHARE)
    return expiresAt - Math.min(ahead, lifetime / 2)
  }

  const send = (event: AuthEvent) => {
    if (!disposed) actor.send(event)
  }

  const store = createSessionStore(options.storage, {
    clock,
    timeout: settings.timeouts.storage,
    onFailure: ({ reason = 'failed' }) => send({ type: 'storage.failed', reason }),
  })

  const gate = createGate({
    vault,
    clock,
    send,
    queueLimit: settings.queueLimit,
    holdTimeout: settings.timeouts.hold,
    idleLimit: settings.limits.idle,
    concurrency: settings.concurrency,
  })

  /** Tokens to revoke when the chart comes to it. */
  const leftBehind: Tokens[] = []

  async function revokeNow({ accessToken, refreshToken }: Tokens) {
    if (!revoke || disposed) return
    try {
      await timed.run(
        (signal) => revoke({ accessToken, refreshToken }, { signal }),
        settings.timeouts.revoke,
        () => undefined,
      )
    } catch {
      // The session is over here whatever the server says; what is left there runs out by itself.
    }
  }

  function discard(tokens: Tokens, revokes = true) {
    if (revokes) void revokeNow(tokens)
    send({ type: 'exchange.discarded', reason: revokes ? 'session_over' : 'superseded' })
  }

  function announce(type: 'changed' | 'ended') {
    try {
      coordinator?.announce({ type, epoch: vault.epoch, generation: vault.generation })
    } catch (error) {
      defaults.report(error)
    }
  }

  const exchange = createExchange({
    vault,
    store,
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
    discard,
  })

  const adopt = (facts: TokenFacts, renewal: boolean) => {
    const works = facts.expiresAt === undefined || facts.expiresAt > clock.now()
    send({ type: 'session.adopt', facts, works, renewal })
  }

  async function syncWithStore() {
    const mark = vault.mark()
    const record = await store.read()
    if (!record || !vault.isCurrent(mark)) return
    const adopted = record === 'gone' ? undefined : vault.adopt(record)
    if (adopted) adopt(adopted.facts, adopted.renewal)
    else if (record === 'gone' && vault.tokens) send({ type: 'session.removed' })
  }

  let initial: TokenFacts | undefined
  if (options.initialTokens) {
    initial = vault.begin(parseTokenResponse(options.initialTokens, clock.now(), false))
  }

  const machine = provide({
    vault,
    gate,
    store,
    clock,
    settings,
    exchange,
    signIns,
    async revokePending() {
      await Promise.all([...leftBehind.splice(0).map(revokeNow), store.clear()])
    },
    leaveBehind(tokens) {
      signIns.cancel(new SignedOutError({ reason: 'signed_out' }))
      if (tokens) leftBehind.push(tokens)
    },
    announce,
    syncWithStore: () => void syncWithStore(),
    adoptLate: (facts) => {
      if (vault.tokens && facts.epoch === vault.epoch && facts.generation === vault.generation) adopt(facts, true)
    },
  })

  const { retry, ambiguousRefresh, silentSignIn } = settings
  const actor = createActor(machine, {
    input: {
      policy: {
        attempts: retry.attempts,
        ambiguousRefresh,
        silentSignIn,
        restores: options.storage !== undefined,
      },
      ...(initial && { initial }),
    },
    clock: background(clock),
  })
  shieldActor(actor, { now: () => clock.now(), report: defaults.report })

  const history: AuthEmitted[] = []
  const listeners = new Map<string, Set<(event: never) => void>>()
  /** Looked through whenever the chart comes to rest. */
  const waiting = new Set<{ done: () => boolean; resolve: () => void; reject: (error: unknown) => void }>()

  actor.on('*', (event) => {
    remember(event)
    for (const type of [event.type, '*']) {
      for (const listener of listeners.get(type) ?? []) {
        try {
          listener(event as never)
        } catch (error) {
          defaults.report(error)
        }
      }
    }
  })

  function remember(event: AuthEmitted) {
    const last = history.at(-1)
    // Requests come by the hundred; what the history is read for are the few things that happened between them.
    if (
      last &&
      'count' in last &&
      'count' in event &&
      last.type === event.type &&
      last.reason === event.reason
    ) {
      history[history.length - 1] = Object.freeze({ ...event, count: last.count + event.count })
      return
    }
    history.push(event)
    if (history.length > settings.historyLimit) history.shift()
  }

  const state = () => {
    const { value } = actor.getSnapshot()
    return (typeof value === 'string' ? value : Object.keys(value)[0]) as AuthState
  }

  actor.subscribe(() => {
    gate.settle()
    if (state() !== 'authenticating') signIns.settle()
    for (const waiter of waiting) {
      if (!waiter.done()) continue
      waiting.delete(waiter)
      waiter.resolve()
    }
  })

  const reached = (done: () => boolean): Promise<void> =>
    new Promise((resolve, reject) => {
      if (disposed) reject(new DisposedError())
      else if (done()) resolve()
      else waiting.add({ done, resolve, reject })
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

  async function getAccessToken(wait: AccessTokenOptions = {}): Promise<string | undefined> {
    const { minValidity = 0, allowAnonymous = false, signal } = wait
    if (signal?.aborted) throw signal.reason
    let pass = gate.pass()
    if (!pass) {
      pass = await gate.hold({ signal })
      gate.done()
    }
    if (pass.authorization === undefined) {
      if (allowAnonymous) return undefined
      throw new SignedOutError()
    }
    const { tokens } = vault
    if (minValidity > 0 && tokens?.expiresAt !== undefined) {
      // Asked for more than a token can ever give, every call would renew.
      const wanted = Math.min(minValidity, (tokens.expiresAt - tokens.receivedAt) / 2)
      if (tokens.expiresAt - clock.now() < wanted) await nextGeneration(wait)
    }
    return vault.tokens?.accessToken ?? (allowAnonymous ? undefined : over())
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
    store.dispose()
    signIns.cancel(error)
    gate.dispose()
    for (const waiter of waiting) waiter.reject(error)
    waiting.clear()
    listeners.clear()
  }

  const auth: Auth<Credentials, Claims> = {
    actor,
    get state() {
      return state()
    },
    get session() {
      return vault.session as Session<Claims> | undefined
    },
    get history() {
      return [...history]
    },
    ready: () => reached(() => state() !== 'restoring'),
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
      await reached(() => state() !== 'signingOut').catch(() => {})
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
      await reached(() => state() !== 'authenticating')
      // A sign-in that was under way has brought new tokens, or left things as they were.
      if (vault.tokens && vault.generation !== generation) return current()
      if (state() === 'expired')
        throw new SessionExpiredError({ reason: actor.getSnapshot().context.reason })
      if (!vault.tokens) throw new SignedOutError()
      await nextGeneration()
      return current() ?? over()
    },
    getAccessToken: getAccessToken as Auth['getAccessToken'],
    on(type, listener) {
      const set = listeners.get(type) ?? new Set()
      // Wrapped, so that the same function given twice is two listeners with an end each.
      const own = (event: never) => listener(event)
      set.add(own)
      listeners.set(type, set)
      return () => set.delete(own)
    },
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
      coordinator.subscribe(({ type }) =>
        send({ type: type === 'ended' ? 'session.removed' : 'session.sync' }),
      ),
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

/**
 * The chart's own timers must not keep a Node process alive: a renewal is no reason to stay. Whoever waits for something
 * has a deadline of its own, and that one does.
 */
function background(clock: Clock): Pick<Clock, 'setTimeout' | 'clearTimeout'> {
  return {
    setTimeout(callback, delay) {
      const handle = clock.setTimeout(callback, delay)
      ;(handle as { unref?: () => void } | undefined)?.unref?.()
      return handle
    },
    clearTimeout: (handle) => clock.clearTimeout(handle),
  }
}
