import type { AuthEvent } from '../../machines/index.ts'
import {
  BACKOFF,
  COOL_DOWN,
  DUE,
  EXPIRED,
  FACTS,
  failure,
  type Invoked,
  LIFETIME,
  NEWER,
  START,
  type World,
  type WorldOptions,
} from './chart-world.ts'

interface Circumstances extends WorldOptions {
  /** Milliseconds by which the time of day goes on before the cause, as during a suspension: no timer fires. */
  readonly later?: number
  /** The clock is set back by this many milliseconds before the cause, so that timers fire early. */
  readonly setBack?: number
}

interface Effects {
  /** The types of the events that are emitted. */
  readonly emits?: readonly string[]
  /** The calls of ports, in order. */
  readonly calls?: readonly string[]
}

export interface Row extends Circumstances, Effects {
  readonly from: string
  /** The cause in words. */
  readonly when: string
  readonly cause: (world: World) => unknown
  readonly to: string
}

type Rest = Circumstances & Effects

/** The circumstances in words. */
function inWords({ later, setBack, policy, used, failure }: Rest): string {
  const words = [
    later === LIFETIME && 'once the token has expired',
    later === DUE && 'once a refresh is due',
    setBack && 'with the clock set back',
    used && 'with tokens that were used',
    policy && `with the policy ${JSON.stringify(policy)}`,
    failure && `after a failure with ${JSON.stringify(failure)}`,
  ].filter(Boolean)
  return words.length > 0 ? `, ${words.join(', ')}` : ''
}

const row = (from: string, when: string, cause: Row['cause'], to: string, rest: Rest): Row => ({
  from,
  when: when + inWords(rest),
  cause,
  to,
  ...rest,
})

const on = (from: string, event: AuthEvent, to: string, rest: Rest = {}): Row => {
  const details = Object.entries(event)
    .filter(([name, value]) => name !== 'type' && typeof value !== 'object')
    .map(([name, value]) => `, ${name} ${String(value)}`)
  return row(from, event.type + details.join(''), ({ actor }) => actor.send(event), to, rest)
}

const after = (from: string, ms: number, to: string, rest: Rest = {}): Row =>
  row(from, `the timer of ${ms} ms`, ({ clock }) => clock.advance(ms), to, rest)

const resolves = (
  from: string,
  name: Invoked,
  output: object | undefined,
  to: string,
  rest: Rest = {},
): Row =>
  row(
    from,
    `${name}() resolved to ${JSON.stringify(output) ?? 'nothing'}`,
    (world) => world.resolve(name, output),
    to,
    rest,
  )

const rejects = (from: string, name: Invoked, error: object, to: string, rest: Rest = {}): Row =>
  row(
    from,
    `${name}() rejected with ${JSON.stringify(error)}`,
    (world) => world.reject(name, error),
    to,
    rest,
  )

/** Tokens of a refresh are of the chart's epoch; another sign-in begins a new one. */
const received = (works: boolean, refreshed: boolean, epoch = refreshed ? 1 : 3): AuthEvent => ({
  type: 'tokens.received',
  facts: { ...(works ? NEWER : EXPIRED), epoch },
  refreshed,
})

const REFUSED = failure({ fatal: true, reason: 'invalid_grant' })
const UNAUTHORIZED: AuthEvent = { type: 'request.unauthorized', generation: 1 }
const STALE: AuthEvent = { type: 'request.unauthorized', generation: 0 }
const BURST = { count: 2, held: 3 }
/** A server that asked to wait for longer than the backoff. */
const ASKED_TO_WAIT = { failure: { retryAt: START + 90_000, notBefore: START + 90_000 } }

const inAnyState: Row[] = [
  on('anonymous', { type: 'session.signIn' }, 'authenticating'),
  on('authenticating', { type: 'session.signIn' }, 'authenticating'),
  on('anonymous', received(true, false), 'authenticated.refreshable', { emits: ['signedIn'] }),
  on('refreshing.requesting.closed', received(true, true), 'authenticated.refreshable', {
    emits: ['refreshed'],
  }),
  on('loggedOut', received(false, false), 'refreshing.requesting.closed', { emits: ['signedIn'] }),
  on('expired', received(false, true), 'refreshing.requesting.closed', { emits: ['refreshed'] }),
  on('expired', received(false, false), 'refreshing.requesting.closed', { emits: ['signedIn'] }),
  ...['authenticated.refreshable', 'refreshing.offline.open', 'expired', 'authenticating'].map((from) =>
    on(from, { type: 'session.signOut' }, 'signingOut', { calls: ['end'] }),
  ),
  on('restoring.reading', { type: 'session.signOut' }, 'signingOut', { calls: ['end'] }),
  ...['authenticated.refreshable', 'refreshing.requesting.closed', 'expired'].map((from) =>
    on(from, { type: 'session.endedElsewhere' }, 'loggedOut', {
      emits: ['signedOut'],
      calls: ['end elsewhere'],
    }),
  ),
  on('anonymous', { type: 'session.endedElsewhere' }, 'anonymous'),
  on('authenticated.refreshable', { type: 'store.changed' }, 'authenticated.refreshable', {
    calls: ['reload'],
  }),
  on('authenticated.refreshable', { type: 'request.held', ...BURST }, 'authenticated.refreshable', {
    emits: ['requestHeld'],
  }),
  on(
    'authenticated.refreshable',
    { type: 'request.released', count: 1, held: 0 },
    'authenticated.refreshable',
  ),
  on('authenticated.refreshable', { type: 'request.replayed', ...BURST }, 'authenticated.refreshable', {
    emits: ['requestReplayed'],
  }),
  on(
    'authenticated.refreshable',
    { type: 'request.rejected', ...BURST, reason: 'timeout' },
    'authenticated.refreshable',
    { emits: ['requestRejected'] },
  ),
  on('authenticated.refreshable', { type: 'request.stepUp', scope: 'x' }, 'authenticated.refreshable', {
    emits: ['stepUpRequired'],
  }),
  on('anonymous', { type: 'store.failed', reason: 'timeout' }, 'anonymous', { emits: ['storageFailed'] }),
  on('anonymous', { type: 'tokens.discarded', reason: 'superseded' }, 'anonymous', { emits: ['discarded'] }),
  on('loggedOut', { type: 'revocation.failed', reason: 'server_error', status: 503 }, 'loggedOut', {
    emits: ['revocationFailed'],
  }),
  ...['anonymous', 'signingOut', 'loggedOut'].map((state) => on(state, { type: 'session.signOut' }, state)),
]

const EXPIRED_ELSEWHERE: AuthEvent = { type: 'session.expiredElsewhere', reason: 'invalid_grant' }

const limits: Row[] = [
  ...(['idle', 'lifetime'] as const).flatMap((reason) =>
    [
      'authenticated.refreshable',
      'authenticated.lastToken',
      'refreshing.requesting.open',
      'refreshing.coolingDown.closed',
    ].map((from) =>
      on(from, { type: 'session.limitReached', reason }, 'expired', {
        emits: ['expired'],
        calls: [`expire: ${reason}`],
      }),
    ),
  ),
  ...['authenticated.refreshable', 'authenticated.lastToken', 'refreshing.requesting.closed'].map((from) =>
    on(from, EXPIRED_ELSEWHERE, 'expired', {
      emits: ['expired'],
      calls: ['expire elsewhere: invalid_grant'],
    }),
  ),
  ...['restoring.reading', 'anonymous', 'expired', 'signingOut', 'loggedOut'].flatMap((state) => [
    on(state, { type: 'session.limitReached', reason: 'idle' }, state),
    on(state, EXPIRED_ELSEWHERE, state),
  ]),
]

const restoring: Row[] = [
  resolves('restoring.reading', 'restore', FACTS, 'authenticated.refreshable'),
  resolves('restoring.reading', 'restore', EXPIRED, 'refreshing.requesting.closed'),
  resolves('restoring.reading', 'restore', undefined, 'anonymous'),
  resolves('restoring.reading', 'restore', undefined, 'restoring.signingInSilently', {
    policy: { silentSignIn: true },
  }),
  resolves('restoring.signingInSilently', 'refresh', FACTS, 'authenticated.refreshable', {
    emits: ['signedIn'],
  }),
  rejects('restoring.signingInSilently', 'refresh', REFUSED, 'anonymous'),
  rejects('restoring.signingInSilently', 'refresh', failure(), 'restoring.backingOff', {
    emits: ['refreshFailed'],
  }),
  rejects('restoring.signingInSilently', 'refresh', failure(), 'anonymous', {
    policy: { attempts: 1 },
    emits: ['refreshFailed'],
  }),
  after('restoring.backingOff', BACKOFF - 1, 'restoring.backingOff'),
  after('restoring.backingOff', BACKOFF, 'restoring.signingInSilently'),
]

const authenticating: Row[] = [
  on('authenticating', received(true, true, 0), 'authenticating', { emits: ['refreshed'] }),
  on('authenticating', received(true, false), 'authenticated.refreshable', { emits: ['signedIn'] }),
  resolves('authenticating', 'authenticate', FACTS, 'authenticated.refreshable', { emits: ['signedIn'] }),
  rejects('authenticating', 'authenticate', {}, 'anonymous'),
  on('authenticating', EXPIRED_ELSEWHERE, 'authenticating', {
    initial: FACTS,
    calls: ['expire elsewhere: invalid_grant'],
  }),
  on('authenticating', EXPIRED_ELSEWHERE, 'authenticating'),
]

const UNUSED = { policy: { refreshOn: 'activity' } } as const
const USED = { ...UNUSED, used: true } as const

const refreshable: Row[] = [
  on('authenticated.refreshable', { type: 'clock.check' }, 'authenticated.refreshable'),
  on('authenticated.refreshable', { type: 'clock.check' }, 'refreshing.requesting.closed', {
    later: LIFETIME,
  }),
  on('authenticated.refreshable', { type: 'clock.check' }, 'refreshing.requesting.open', { later: DUE }),
  ...(['environment.resumed', 'environment.online'] as const).flatMap((type) => [
    on('authenticated.refreshable', { type }, 'authenticated.refreshable'),
    on('authenticated.refreshable', { type }, 'refreshing.requesting.open', { later: DUE }),
    on('authenticated.refreshable', { type }, 'refreshing.requesting.closed', { later: LIFETIME }),
    on('authenticated.refreshable', { type }, 'authenticated.refreshable', { ...UNUSED, later: DUE }),
    on('authenticated.refreshable', { type }, 'refreshing.requesting.open', { ...USED, later: DUE }),
  ]),
  on('authenticated.refreshable', { type: 'session.refresh' }, 'refreshing.requesting.open'),
  on('authenticated.refreshable', { type: 'session.refresh' }, 'refreshing.requesting.closed', {
    later: LIFETIME,
  }),
  on('authenticated.refreshable', UNAUTHORIZED, 'refreshing.requesting.closed'),
  on('authenticated.refreshable', STALE, 'authenticated.refreshable'),
  after('authenticated.refreshable', DUE - 1, 'authenticated.refreshable'),
  after('authenticated.refreshable', DUE, 'refreshing.requesting.open'),
  after('authenticated.refreshable', DUE, 'authenticated.refreshable', { setBack: 1 }),
  after('authenticated.refreshable', DUE + 1, 'refreshing.requesting.open', { setBack: 1 }),
  after('authenticated.refreshable', DUE, 'authenticated.refreshable', UNUSED),
  after('authenticated.refreshable', DUE, 'refreshing.requesting.open', USED),
  after('authenticated.refreshable', 2 * LIFETIME, 'authenticated.refreshable', {
    policy: { refreshOn: 'demand' },
  }),
]

const EXPIRES = { emits: ['expired'], calls: ['expire: token_expired'] }

const lastToken: Row[] = [
  on('authenticated.lastToken', { type: 'clock.check' }, 'authenticated.lastToken'),
  on('authenticated.lastToken', { type: 'clock.check' }, 'expired', { later: LIFETIME, ...EXPIRES }),
  on('authenticated.lastToken', { type: 'session.refresh' }, 'authenticated.lastToken', {
    calls: ['rejectRefreshWaiters'],
  }),
  on('authenticated.lastToken', UNAUTHORIZED, 'expired', EXPIRES),
  on('authenticated.lastToken', STALE, 'authenticated.lastToken'),
  after('authenticated.lastToken', LIFETIME, 'authenticated.lastToken', {
    setBack: 1,
    calls: ['rejectRefreshWaiters'],
  }),
  after('authenticated.lastToken', LIFETIME, 'expired', EXPIRES),
]

const ATTEMPTS = ['backingOff', 'ambiguous', 'offline', 'coolingDown'] as const
const GATES = ['open', 'closed'] as const

const attempts: Row[] = [
  resolves('refreshing.requesting.open', 'refresh', NEWER, 'authenticated.refreshable', {
    emits: ['refreshed'],
  }),
  resolves('refreshing.requesting.open', 'refresh', { ...NEWER, epoch: 2 }, 'authenticated.refreshable', {
    emits: ['signedIn'],
  }),
  resolves(
    'refreshing.requesting.closed',
    'refresh',
    { ...NEWER, refreshable: false },
    'authenticated.lastToken',
    { emits: ['refreshed'], calls: ['rejectRefreshWaiters'] },
  ),
  rejects('refreshing.requesting.open', 'refresh', REFUSED, 'authenticated.lastToken', {
    emits: ['refreshFailed'],
    calls: ['rejectRefreshWaiters'],
  }),
  rejects('refreshing.requesting.closed', 'refresh', REFUSED, 'expired', {
    emits: ['refreshFailed', 'expired'],
    calls: ['expire: invalid_grant'],
  }),
  ...GATES.flatMap((gate) => {
    const from = `refreshing.requesting.${gate}`
    const ambiguous = `refreshing.ambiguous.${gate}`
    const emits = ['refreshFailed']
    return [
      rejects(from, 'refresh', failure({ ambiguous: true }), ambiguous, { emits }),
      rejects(from, 'refresh', failure({ reason: 'offline' }), `refreshing.offline.${gate}`, { emits }),
      rejects(from, 'refresh', failure(), `refreshing.backingOff.${gate}`, { emits }),
      rejects(from, 'refresh', failure({ retryAt: START }), from, { emits }),
      rejects(
        from,
        'refresh',
        failure({ retryAt: START, notBefore: START + 1 }),
        `refreshing.backingOff.${gate}`,
        {
          emits,
        },
      ),
      rejects(from, 'refresh', failure(), `refreshing.coolingDown.${gate}`, {
        policy: { attempts: 1 },
        emits,
        calls: ['rejectHeld'],
      }),
      resolves(ambiguous, 'restore', NEWER, 'authenticated.refreshable', { emits: ['refreshed'] }),
      resolves(ambiguous, 'restore', { ...NEWER, epoch: 2 }, 'authenticated.refreshable', {
        emits: ['signedIn'],
      }),
      resolves(ambiguous, 'restore', undefined, from),
    ]
  }),
  resolves('refreshing.ambiguous.open', 'restore', undefined, 'authenticated.lastToken', {
    policy: { ambiguousRefresh: 'expire' },
    calls: ['rejectRefreshWaiters'],
  }),
  resolves('refreshing.ambiguous.closed', 'restore', undefined, 'expired', {
    policy: { ambiguousRefresh: 'expire' },
    emits: ['expired'],
    calls: ['expire: ambiguous'],
  }),
  on('refreshing.backingOff.closed', { type: 'environment.offline' }, 'refreshing.offline.closed'),
  after('refreshing.backingOff.closed', BACKOFF - 1, 'refreshing.backingOff.closed'),
  after('refreshing.backingOff.closed', BACKOFF, 'refreshing.requesting.closed'),
  after('refreshing.backingOff.closed', 90_000 - 1, 'refreshing.backingOff.closed', ASKED_TO_WAIT),
  after('refreshing.backingOff.closed', 90_000, 'refreshing.requesting.closed', ASKED_TO_WAIT),
  after('refreshing.offline.closed', COOL_DOWN - 1, 'refreshing.offline.closed'),
  after('refreshing.offline.closed', COOL_DOWN, 'refreshing.requesting.closed'),
  after('refreshing.coolingDown.closed', COOL_DOWN - 1, 'refreshing.coolingDown.closed'),
  after('refreshing.coolingDown.closed', COOL_DOWN, 'refreshing.requesting.closed'),
  after('refreshing.coolingDown.closed', 90_000 - 1, 'refreshing.coolingDown.closed', ASKED_TO_WAIT),
  after('refreshing.coolingDown.closed', 90_000, 'refreshing.requesting.closed', ASKED_TO_WAIT),
  after('refreshing.coolingDown.closed', 10 * COOL_DOWN, 'refreshing.coolingDown.closed', {
    policy: { refreshOn: 'demand' },
  }),
]

/** The one door to the next attempt: an event skips the backoff. Only the app may skip the time that the server asked for. */
const retryDoor: Row[] = GATES.flatMap((gate) =>
  ATTEMPTS.flatMap((state) =>
    (['environment.online', 'environment.resumed', 'session.refresh', 'request.held'] as const).flatMap(
      (type) => {
        const event = (type === 'request.held' ? { type, ...BURST } : { type }) as AuthEvent
        const from = `refreshing.${state}.${gate}`
        const emits = type === 'request.held' ? ['requestHeld'] : []
        if (!isDoor(state, type)) return [on(from, event, from, { emits })]
        const now = on(from, event, `refreshing.requesting.${gate}`, { emits })
        if (type === 'session.refresh') return [now, { ...now, ...ASKED_TO_WAIT }]
        return [
          now,
          on(from, event, `refreshing.backingOff.${gate}`, { ...ASKED_TO_WAIT, emits }),
          on(from, event, `refreshing.requesting.${gate}`, { ...ASKED_TO_WAIT, later: 90_000, emits }),
        ]
      },
    ),
  ),
).concat(
  GATES.map((gate) =>
    on(
      `refreshing.backingOff.${gate}`,
      { type: 'session.refresh' },
      `refreshing.requesting.${gate}`,
      ASKED_TO_WAIT,
    ),
  ),
)

/** Whether the event asks for an attempt at once in that state. */
function isDoor(state: (typeof ATTEMPTS)[number], type: string): boolean {
  if (state === 'ambiguous') return false
  if (state === 'coolingDown') return true
  return state === 'offline' || type.startsWith('environment')
}

const gates: Row[] = [
  on('refreshing.requesting.open', { type: 'clock.check' }, 'refreshing.requesting.open'),
  on('refreshing.requesting.open', { type: 'clock.check' }, 'refreshing.requesting.closed', {
    later: LIFETIME,
  }),
  on('refreshing.backingOff.open', UNAUTHORIZED, 'refreshing.backingOff.closed'),
  on('refreshing.coolingDown.open', STALE, 'refreshing.coolingDown.open'),
  after('refreshing.requesting.open', LIFETIME, 'refreshing.requesting.closed'),
  after('refreshing.requesting.open', LIFETIME, 'refreshing.requesting.open', { setBack: 1 }),
  after('refreshing.requesting.open', LIFETIME + 1, 'refreshing.requesting.closed', { setBack: 1 }),
  on('refreshing.requesting.open', { type: 'session.refresh' }, 'refreshing.requesting.open'),
  on('refreshing.requesting.closed', UNAUTHORIZED, 'refreshing.requesting.closed'),
]

const signingOut: Row[] = [resolves('signingOut', 'revoke', undefined, 'loggedOut', { emits: ['signedOut'] })]

export const ROWS: readonly Row[] = [
  ...inAnyState,
  ...limits,
  ...restoring,
  ...authenticating,
  ...refreshable,
  ...lastToken,
  ...attempts,
  ...retryDoor,
  ...gates,
  ...signingOut,
]
