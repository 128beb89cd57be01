import type { AuthEvent, AuthPolicy } from '../../machines/index.ts'
import {
  type Delay,
  FACTS,
  failure,
  type Invoked,
  NEWER,
  type World,
  type WorldGuard,
} from './chart-world.ts'

export interface Row {
  readonly from: string
  /** What happens, in words. */
  readonly when: string
  readonly cause: (world: World) => unknown
  /** Guards that say yes by then, and one that no longer does. */
  readonly yes?: readonly WorldGuard[]
  readonly no?: WorldGuard
  readonly policy?: Partial<AuthPolicy>
  readonly soon?: Delay
  readonly to: string
  /** What is emitted, transitions left out. */
  readonly tells?: readonly string[]
  /** What is done, in order. */
  readonly does?: readonly string[]
}

type Rest = Omit<Row, 'from' | 'when' | 'cause' | 'to'>

const on = (from: string, event: AuthEvent, to: string, rest: Rest = {}): Row => {
  const details = Object.entries(event)
    .filter(([name, value]) => name !== 'type' && typeof value !== 'object')
    .map(([name, value]) => `, ${name} ${String(value)}`)
  return { from, when: event.type + details.join(''), cause: ({ actor }) => actor.send(event), to, ...rest }
}
const after = (from: string, soon: Delay, to: string, rest: Rest = {}): Row => ({
  from,
  when: `after ${soon}`,
  cause: ({ clock }) => clock.advance(1),
  soon,
  to,
  ...rest,
})
const gives = (
  from: string,
  name: Invoked,
  output: object | undefined,
  to: string,
  rest: Rest = {},
): Row => ({
  from,
  when: `${name} gives ${output ? 'tokens' : 'nothing'}`,
  cause: (world) => world.give(name, output),
  to,
  ...rest,
})
const fails = (from: string, name: Invoked, error: object, to: string, rest: Rest = {}): Row => ({
  from,
  when: `${name} fails: ${JSON.stringify(error)}`,
  cause: (world) => world.fail(name, error),
  to,
  ...rest,
})

const adopt = (works: boolean, renewal: boolean): AuthEvent => ({
  type: 'session.adopt',
  facts: NEWER,
  works,
  renewal,
})
const REFUSED = { fatal: true, reason: 'invalid_grant' }
const UNAUTHORIZED: AuthEvent = { type: 'request.unauthorized', generation: 1 }
const STALE: AuthEvent = { type: 'request.unauthorized', generation: 0 }
const BURST = { count: 2, held: 3 }
const DIES = { does: ['eraseTokens', 'refuseRequests'] }
const EXCHANGES = ['backingOff', 'uncertain', 'offline', 'suspended'] as const

const anywhere: Row[] = [
  on('anonymous', { type: 'session.signIn' }, 'authenticating', { does: ['holdRequests'] }),
  on('authenticating', { type: 'session.signIn' }, 'authenticating', { does: ['holdRequests'] }),
  on('anonymous', adopt(true, false), 'authenticated.renewable', {
    tells: ['signedIn'],
    does: ['letRequestsPass'],
  }),
  on('refreshing.requesting.closed', adopt(true, true), 'authenticated.renewable', {
    tells: ['refreshed'],
    does: ['letRequestsPass'],
  }),
  on('loggedOut', adopt(false, false), 'refreshing.requesting.closed', {
    tells: ['signedIn'],
    does: ['holdRequests'],
  }),
  on('expired', adopt(false, true), 'refreshing.requesting.closed', {
    tells: ['signedIn'],
    does: ['holdRequests'],
  }),
  on('authenticated.renewable', { type: 'session.signOut' }, 'signingOut', {
    does: ['dismissSession', 'refuseRequests'],
  }),
  on('expired', { type: 'session.signOut' }, 'signingOut', { does: ['dismissSession', 'refuseRequests'] }),
  on('authenticating', { type: 'session.signOut' }, 'signingOut', {
    does: ['dismissSession', 'refuseRequests'],
  }),
  on('authenticated.renewable', { type: 'session.removed' }, 'loggedOut', {
    tells: ['signedOut'],
    does: ['dismissSession', 'sendWithoutToken'],
  }),
  on('expired', { type: 'session.removed' }, 'loggedOut', {
    tells: ['signedOut'],
    does: ['dismissSession', 'sendWithoutToken'],
  }),
  on('anonymous', { type: 'session.removed' }, 'anonymous'),
  on('authenticated.renewable', { type: 'session.sync' }, 'authenticated.renewable', {
    does: ['syncWithStore'],
  }),
  on('authenticated.renewable', { type: 'request.held', ...BURST }, 'authenticated.renewable', {
    tells: ['requestHeld'],
  }),
  on('authenticated.renewable', { type: 'request.released', held: 0 }, 'authenticated.renewable'),
  on('authenticated.renewable', { type: 'request.replayed', ...BURST }, 'authenticated.renewable', {
    tells: ['requestReplayed'],
  }),
  on(
    'authenticated.renewable',
    { type: 'request.rejected', ...BURST, reason: 'timeout' },
    'authenticated.renewable',
    {
      tells: ['requestRejected'],
    },
  ),
  on('authenticated.renewable', { type: 'request.stepUp', scope: 'x' }, 'authenticated.renewable', {
    tells: ['stepUpRequired'],
  }),
  on('anonymous', { type: 'storage.failed', reason: 'timeout' }, 'anonymous', { tells: ['storageFailed'] }),
  on('anonymous', { type: 'exchange.discarded', reason: 'superseded' }, 'anonymous', {
    tells: ['discarded'],
  }),
  ...['anonymous', 'signingOut', 'loggedOut'].map((place) => on(place, { type: 'session.signOut' }, place)),
]

const restoring: Row[] = [
  gives('restoring.reading', 'readSession', FACTS, 'authenticated.renewable', {
    yes: ['foundWorkingToken', 'tokenStillWorks'],
    does: ['letRequestsPass'],
  }),
  gives('restoring.reading', 'readSession', FACTS, 'refreshing.requesting.closed', {
    does: ['holdRequests'],
  }),
  gives('restoring.reading', 'readSession', undefined, 'anonymous', { does: ['sendWithoutToken'] }),
  gives('restoring.reading', 'readSession', undefined, 'restoring.signingInSilently', {
    policy: { silentSignIn: true },
  }),
  fails('restoring.reading', 'readSession', {}, 'anonymous', { does: ['sendWithoutToken'] }),
  fails('restoring.reading', 'readSession', {}, 'restoring.signingInSilently', {
    policy: { silentSignIn: true },
  }),
  gives('restoring.signingInSilently', 'exchangeTokens', FACTS, 'authenticated.renewable', {
    tells: ['signedIn'],
    does: ['letRequestsPass'],
  }),
  fails('restoring.signingInSilently', 'exchangeTokens', failure(REFUSED), 'anonymous', {
    does: ['sendWithoutToken'],
  }),
  fails('restoring.signingInSilently', 'exchangeTokens', failure(), 'restoring.backingOff', {
    tells: ['refreshFailed'],
  }),
  fails('restoring.signingInSilently', 'exchangeTokens', failure(), 'anonymous', {
    policy: { attempts: 1 },
    tells: ['refreshFailed'],
    does: ['sendWithoutToken'],
  }),
  after('restoring.backingOff', 'untilRetry', 'restoring.signingInSilently'),
]

const authenticating: Row[] = [
  on('authenticating', adopt(true, true), 'authenticating', { tells: ['refreshed'] }),
  on('authenticating', adopt(true, false), 'authenticated.renewable', {
    tells: ['signedIn'],
    does: ['letRequestsPass'],
  }),
  gives('authenticating', 'authenticate', FACTS, 'authenticated.renewable', {
    tells: ['signedIn'],
    does: ['letRequestsPass'],
  }),
  fails('authenticating', 'authenticate', {}, 'anonymous', { does: ['sendWithoutToken'] }),
]

const renewable: Row[] = [
  on('authenticated.renewable', { type: 'session.check' }, 'authenticated.renewable'),
  on('authenticated.renewable', { type: 'session.check' }, 'refreshing.requesting.closed', {
    no: 'tokenStillWorks',
    does: ['holdRequests'],
  }),
  on('authenticated.renewable', { type: 'session.check' }, 'refreshing.requesting.open', {
    yes: ['renewalIsDue'],
    does: ['letRequestsPass'],
  }),
  ...(['environment.woke', 'environment.online'] as const).flatMap((type) => [
    on('authenticated.renewable', { type }, 'authenticated.renewable', { yes: ['renewalIsDue'] }),
    on('authenticated.renewable', { type }, 'refreshing.requesting.open', {
      yes: ['renewalIsDue', 'renewsByItself'],
      does: ['letRequestsPass'],
    }),
  ]),
  on('authenticated.renewable', { type: 'session.refresh' }, 'refreshing.requesting.open', {
    does: ['letRequestsPass'],
  }),
  on('authenticated.renewable', { type: 'session.refresh' }, 'refreshing.requesting.closed', {
    no: 'tokenStillWorks',
    does: ['holdRequests'],
  }),
  on('authenticated.renewable', UNAUTHORIZED, 'refreshing.requesting.closed', { does: ['holdRequests'] }),
  on('authenticated.renewable', STALE, 'authenticated.renewable'),
  after('authenticated.renewable', 'untilRenewal', 'refreshing.requesting.open', {
    yes: ['renewsByItself', 'renewalIsDue'],
    does: ['letRequestsPass'],
  }),
  after('authenticated.renewable', 'untilRenewal', 'authenticated.renewable', { does: ['letRequestsPass'] }),
  after('authenticated.renewable', 'untilRenewal', 'authenticated.renewable', { yes: ['renewalIsDue'] }),
  after('authenticated.renewable', 'untilSessionLimit', 'authenticated.renewable', {
    does: ['lookForUse', 'letRequestsPass'],
  }),
  after('authenticated.renewable', 'untilSessionLimit', 'expired', {
    yes: ['idleLimitReached'],
    tells: ['expired'],
    does: ['lookForUse', 'letRequestsPass', 'eraseTokens', 'refuseRequests'],
  }),
  on('authenticated.renewable', { type: 'session.check' }, 'expired', {
    yes: ['lifetimeReached'],
    tells: ['expired'],
    ...DIES,
  }),
]

const terminal: Row[] = [
  on('authenticated.terminal', { type: 'session.check' }, 'authenticated.terminal'),
  on('authenticated.terminal', { type: 'session.check' }, 'expired', {
    no: 'tokenStillWorks',
    tells: ['expired'],
    ...DIES,
  }),
  on('authenticated.terminal', { type: 'session.refresh' }, 'authenticated.terminal', {
    does: ['rejectRenewals'],
  }),
  on('authenticated.terminal', UNAUTHORIZED, 'expired', { tells: ['expired'], ...DIES }),
  on('authenticated.terminal', STALE, 'authenticated.terminal'),
  after('authenticated.terminal', 'untilExpiry', 'authenticated.terminal', {
    does: ['letRequestsPass', 'rejectRenewals'],
  }),
  after('authenticated.terminal', 'untilExpiry', 'expired', {
    no: 'tokenStillWorks',
    tells: ['expired'],
    ...DIES,
  }),
]

const exchange: Row[] = [
  gives('refreshing.requesting.open', 'exchangeTokens', NEWER, 'authenticated.renewable', {
    tells: ['refreshed'],
    does: ['letRequestsPass'],
  }),
  gives(
    'refreshing.requesting.closed',
    'exchangeTokens',
    { ...NEWER, renewable: false },
    'authenticated.terminal',
    {
      tells: ['refreshed'],
      does: ['letRequestsPass', 'letRequestsPass', 'rejectRenewals'],
    },
  ),
  fails('refreshing.requesting.open', 'exchangeTokens', failure(REFUSED), 'authenticated.terminal', {
    tells: ['refreshFailed'],
    does: ['letRequestsPass', 'rejectRenewals'],
  }),
  fails('refreshing.requesting.closed', 'exchangeTokens', failure(REFUSED), 'expired', {
    tells: ['refreshFailed', 'expired'],
    ...DIES,
  }),
  ...(['open', 'closed'] as const).flatMap((gate) => {
    const from = `refreshing.requesting.${gate}`
    const tells = ['refreshFailed']
    return [
      fails(from, 'exchangeTokens', failure({ uncertain: true }), `refreshing.uncertain.${gate}`, { tells }),
      fails(from, 'exchangeTokens', failure({ reason: 'offline' }), `refreshing.offline.${gate}`, { tells }),
      fails(from, 'exchangeTokens', failure(), `refreshing.backingOff.${gate}`, { tells }),
      fails(from, 'exchangeTokens', failure(), `refreshing.suspended.${gate}`, {
        policy: { attempts: 1 },
        tells,
        does: ['rejectHeldRequests'],
      }),
      gives(`refreshing.uncertain.${gate}`, 'readSession', NEWER, 'authenticated.renewable', {
        tells: ['refreshed'],
        does: ['letRequestsPass'],
      }),
      gives(`refreshing.uncertain.${gate}`, 'readSession', undefined, `refreshing.requesting.${gate}`),
      fails(`refreshing.uncertain.${gate}`, 'readSession', {}, `refreshing.requesting.${gate}`),
    ]
  }),
  gives('refreshing.uncertain.open', 'readSession', undefined, 'authenticated.terminal', {
    policy: { ambiguousRefresh: 'expire' },
    does: ['letRequestsPass', 'rejectRenewals'],
  }),
  gives('refreshing.uncertain.closed', 'readSession', undefined, 'expired', {
    policy: { ambiguousRefresh: 'expire' },
    tells: ['expired'],
    ...DIES,
  }),
  fails('refreshing.uncertain.open', 'readSession', {}, 'authenticated.terminal', {
    policy: { ambiguousRefresh: 'expire' },
    does: ['letRequestsPass', 'rejectRenewals'],
  }),
  fails('refreshing.uncertain.closed', 'readSession', {}, 'expired', {
    policy: { ambiguousRefresh: 'expire' },
    tells: ['expired'],
    ...DIES,
  }),
  on('refreshing.backingOff.closed', { type: 'environment.offline' }, 'refreshing.offline.closed'),
  after('refreshing.backingOff.closed', 'untilRetry', 'refreshing.requesting.closed'),
  after('refreshing.suspended.closed', 'untilCooledDown', 'refreshing.requesting.closed'),
  ...EXCHANGES.flatMap((state) =>
    (['environment.online', 'environment.woke', 'session.refresh', 'request.held'] as const).flatMap(
      (type) => {
        const event = (type === 'request.held' ? { type, ...BURST } : { type }) as AuthEvent
        const from = `refreshing.${state}.closed`
        const tells = type === 'request.held' ? ['requestHeld'] : []
        if (!reacts(state, type)) return [on(from, event, from, { yes: ['mayRetryNow'], tells })]
        return [
          on(from, event, 'refreshing.requesting.closed', { yes: ['mayRetryNow'], tells }),
          on(from, event, state === 'backingOff' ? from : 'refreshing.backingOff.closed', { tells }),
        ]
      },
    ),
  ),
]

function reacts(state: (typeof EXCHANGES)[number], type: string): boolean {
  if (state === 'uncertain') return false
  if (state === 'suspended') return true
  return type.startsWith('environment') || (state === 'offline' && type === 'session.refresh')
}

const gate: Row[] = [
  on('refreshing.requesting.open', { type: 'session.check' }, 'refreshing.requesting.open'),
  on('refreshing.requesting.open', { type: 'session.check' }, 'refreshing.requesting.closed', {
    no: 'tokenStillWorks',
    does: ['holdRequests'],
  }),
  on('refreshing.backingOff.open', UNAUTHORIZED, 'refreshing.backingOff.closed', { does: ['holdRequests'] }),
  on('refreshing.suspended.open', STALE, 'refreshing.suspended.open'),
  after('refreshing.requesting.open', 'untilExpiry', 'refreshing.requesting.closed', {
    no: 'tokenStillWorks',
    does: ['holdRequests'],
  }),
  after('refreshing.requesting.open', 'untilExpiry', 'refreshing.requesting.open', {
    does: ['letRequestsPass'],
  }),
  on('refreshing.requesting.open', { type: 'session.refresh' }, 'refreshing.requesting.open'),
  on('refreshing.requesting.closed', UNAUTHORIZED, 'refreshing.requesting.closed'),
]

const limits: Row[] = [
  after('refreshing.requesting.closed', 'untilSessionLimit', 'refreshing.requesting.closed', {
    does: ['lookForUse'],
  }),
  after('refreshing.offline.open', 'untilSessionLimit', 'expired', {
    yes: ['idleLimitReached'],
    tells: ['expired'],
    does: ['lookForUse', ...DIES.does],
  }),
  on('refreshing.suspended.closed', { type: 'session.check' }, 'expired', {
    yes: ['lifetimeReached'],
    tells: ['expired'],
    ...DIES,
  }),
]

const leaving: Row[] = [
  gives('signingOut', 'revokeTokens', undefined, 'loggedOut', {
    tells: ['signedOut'],
    does: ['sendWithoutToken'],
  }),
  fails('signingOut', 'revokeTokens', {}, 'loggedOut', { tells: ['signedOut'], does: ['sendWithoutToken'] }),
]

export const ROWS: readonly Row[] = [
  ...anywhere,
  ...restoring,
  ...authenticating,
  ...renewable,
  ...terminal,
  ...exchange,
  ...gate,
  ...limits,
  ...leaving,
]
