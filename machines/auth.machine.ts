/**
 * The session's token lifecycle, as one statechart.
 *
 * It decides *when*: when to refresh, when requests pass or wait, when to try again, and when a session ends. It performs
 * nothing itself: it asks the ports of its session (`ports.ts`), decides by pure rules (`policies.ts`), and never sees a
 * token (`vocabulary.ts`).
 *
 * The tags say what happens to a request that arrives: `pass` (it is sent with the token), `hold` (it waits), `anonymous`
 * (it is sent without a token) or `refuse` (it is rejected).
 *
 * The literal below contains only names, no helpers and one target per transition, so that Stately's tools read the file
 * as it is.
 */
import { and, assign, emit, fromPromise, not, raise, setup, stateIn } from 'xstate'
import type { AuthEmitted } from './emitted.ts'
import {
  coolDownDelay,
  isFirstDoubt,
  isReached,
  mayTryAgain,
  refreshDelay,
  refreshesOnSchedule,
  retryDelay,
  timeUntil,
  tokenWorks,
} from './policies.ts'
import { portsOf } from './ports.ts'
import type {
  AuthEvent,
  AuthInput,
  ChartContext,
  RefreshFailure,
  SessionKey,
  TokenFacts,
} from './vocabulary.ts'

type Tag = 'busy' | 'session' | 'settled' | 'pass' | 'hold' | 'anonymous' | 'refuse'

/** Input of the invoked actors. */
interface Invocation {
  readonly session: SessionKey
  readonly attempt: number
}

/** Results of invoked actors arrive in events that the `events` type does not list. */
const failureIn = (event: object) => (event as { error?: RefreshFailure }).error
const factsIn = (event: object) =>
  (event as { output?: TokenFacts }).output ?? (event as { facts?: TokenFacts }).facts

const now = (context: Pick<ChartContext, 'session'>) => portsOf(context).clock.now()

/** The events that are emitted as they were received. */
const EMITTED: { readonly [type: string]: AuthEmitted['type'] } = {
  'tokens.discarded': 'discarded',
  'revocation.failed': 'revocationFailed',
  'store.failed': 'storageFailed',
  'request.held': 'requestHeld',
  'request.replayed': 'requestReplayed',
  'request.rejected': 'requestRejected',
  'request.stepUp': 'stepUpRequired',
}

/** An event to emit: what it says, with the facts that every event carries. */
const emitted = (context: ChartContext, event: object) =>
  Object.freeze({
    ...event,
    at: now(context),
    epoch: context.epoch,
    generation: context.generation,
  }) as AuthEmitted

/** The part of the context that refreshing changes, before the first failure. */
const NO_FAILURE = {
  attempt: 0,
  retryAt: 0,
  notBefore: 0,
  ambiguous: false,
  failure: undefined,
  reason: undefined,
} as const

/** What the literal's names mean. */
const parts = setup({
  types: {} as {
    input: AuthInput
    context: ChartContext
    events: AuthEvent
    emitted: AuthEmitted
    tags: Tag
  },

  actors: {
    /** Reads the store; resolves to facts only if it holds newer tokens. Never rejects. */
    restoreSession: fromPromise<TokenFacts | undefined, Invocation>(({ input, signal }) =>
      portsOf(input).session.restore(signal),
    ),
    /** Runs the pending sign-in. */
    authenticate: fromPromise<TokenFacts, Invocation>(({ input, signal }) =>
      portsOf(input).session.authenticate(signal),
    ),
    /** One attempt to refresh, under the coordinator's lock; rejects with a `RefreshFailure`. */
    refreshTokens: fromPromise<TokenFacts, Invocation>(({ input, signal }) =>
      portsOf(input).session.refresh(input.attempt, signal),
    ),
    /** Revokes the tokens of the ended session, in bounded time. Never rejects. */
    revokeTokens: fromPromise<void, Invocation>(({ input }) => portsOf(input).session.revoke()),
  },

  actions: {
    rejectHeldRequests: ({ context }) => portsOf(context).requests.rejectHeld(context),
    rejectRefreshWaiters: ({ context }) => portsOf(context).requests.rejectRefreshWaiters(context),
    expireSession: ({ context, event }) => portsOf(context).session.expire(context, event),
    endSession: ({ context, event }) => portsOf(context).session.end(event),
    reloadSession: ({ context }) => portsOf(context).session.reload(),

    /** Emits what the event says, word for word. */
    emitEvent: emit(({ context, event }) => emitted(context, { ...event, type: EMITTED[event.type] })),

    /** Runs before the tokens are recorded: tokens of another epoch are a sign-in, even if a refresh brought them. */
    emitTokens: emit(({ context, event }) => {
      const { epoch = context.epoch, generation = context.generation } = factsIn(event) ?? {}
      const type = epoch === context.epoch ? 'refreshed' : 'signedIn'
      return emitted({ ...context, epoch, generation }, { type })
    }),
    recordTokens: assign(({ event }) => ({
      ...factsIn(event),
      ...NO_FAILURE,
      status: 'active',
    })),
    recordFailure: assign(({ context, event }) => {
      const failure = failureIn(event)
      return {
        failure,
        attempt: context.attempt + 1,
        retryAt: failure?.retryAt ?? 0,
        notBefore: failure?.notBefore ?? 0,
        ambiguous: context.ambiguous || failure?.ambiguous === true,
        refreshable: failure?.fatal !== true,
      }
    }),
    emitFailure: emit(({ context }) => {
      const { fatal = false, reason = 'network', status, retryAt } = context.failure ?? {}
      return emitted(context, {
        type: 'refreshFailed',
        reason,
        attempt: context.attempt,
        fatal,
        ...(status !== undefined && { status }),
        ...(!fatal && retryAt !== undefined && { retryAt }),
      })
    }),
    recordHeld: assign({ held: ({ context, event }) => ('held' in event ? event.held : context.held) }),
    recordNoSession: assign({ status: 'none' }),
    recordExpiry: assign(({ context, event }) => ({
      status: 'expired',
      reason:
        event.type === 'session.limitReached' || event.type === 'session.expiredElsewhere'
          ? event.reason
          : (context.failure?.reason ?? 'token_expired'),
    })),
    recordSignOut: assign(({ context, event }) => ({
      status: 'signedOut',
      reason: event.type === 'session.endedElsewhere' ? 'signed_out_elsewhere' : 'signed_out',
      epoch: context.epoch + 1,
      expiresAt: undefined,
      refreshAt: undefined,
      failure: undefined,
    })),
    /** Emits that the session ended, and why. */
    emitEnd: emit(({ context }) =>
      emitted(context, {
        type: context.status === 'expired' ? 'expired' : 'signedOut',
        reason: context.reason,
      }),
    ),
    resetAttempts: assign({ attempt: 0 }),
    /** The next attempt need not wait for its backoff, only for the time that the server asked for. */
    skipBackoff: assign({ retryAt: 0 }),
    /** The app may ask earlier than the server wants: it knows why. */
    skipWait: assign({ retryAt: 0, notBefore: 0 }),
    rejectGeneration: assign({ rejectedGeneration: ({ context }) => context.generation }),
    giveUpRefreshing: assign({ refreshable: false }),
    /** The answer to the refresh token is lost for good. */
    recordDoubt: assign(({ context }) => ({
      failure: context.failure && { ...context.failure, reason: 'ambiguous' },
    })),
    checkClock: raise({ type: 'clock.check' }),
  },

  guards: {
    tokenWorks: ({ context }) => tokenWorks(context, now(context)),
    refreshIsDue: ({ context }) => isReached(context.refreshAt, now(context)),
    refreshesOnSchedule: ({ context }) =>
      refreshesOnSchedule(context.policy, portsOf(context).requests.usedSinceRefresh),
    retryIsDue: ({ context }) => retryDelay(context, now(context)) === 0,
    isToldToWait: ({ context }) => !isReached(context.notBefore, now(context)),

    foundTokens: ({ event }) => factsIn(event) !== undefined,
    foundWorkingToken: ({ context, event }) => {
      const found = factsIn(event)
      return found !== undefined && !isReached(found.expiresAt, now(context))
    },
    receivedRefresh: ({ event }) => event.type === 'tokens.received' && event.refreshed,
    receivedWorkingRefresh: and(['receivedRefresh', 'foundWorkingToken']),

    hasSession: ({ context }) => context.status === 'active',
    isSignedInOrExpired: ({ context }) => context.status === 'active' || context.status === 'expired',
    wasExpired: ({ context }) => context.status === 'expired',
    wasSignedOut: ({ context }) => context.status === 'signedOut',
    wasRestoring: ({ context }) => context.status === 'unknown',
    maySignInSilently: ({ context }) => context.policy.silentSignIn,
    hasNothingToRestore: ({ context }) =>
      context.status === 'unknown' && !context.policy.restores && !context.policy.silentSignIn,
    isCurrentGeneration: ({ context, event }) =>
      event.type === 'request.unauthorized' && event.generation === context.generation,
    isLastToken: ({ context }) => !context.refreshable,
    /** A session that a sign-in is about to replace expires only if the sign-in fails. */
    mayExpire: and(['hasSession', not('isAuthenticating')]),
    isAuthenticating: stateIn('authenticating'),
    sessionWorks: and(['hasSession', 'tokenWorks']),
    tokenFails: not('tokenWorks'),
    isTooEarly: not('refreshIsDue'),
    isScheduledRefreshDue: and(['refreshesOnSchedule', 'refreshIsDue']),

    gateIsOpen: stateIn({ refreshing: { gate: 'open' } }),
    isFatal: ({ event }) => failureIn(event)?.fatal === true,
    isFatalWhileOpen: and(['isFatal', 'gateIsOpen']),
    failedOffline: ({ event }) => failureIn(event)?.reason === 'offline',
    isFirstDoubt: ({ context, event }) => isFirstDoubt(context, failureIn(event)),
    expiresWhenAmbiguous: ({ context }) => context.policy.ambiguousRefresh === 'expire',
    expiresWhenAmbiguousLater: and(['expiresWhenAmbiguous', 'gateIsOpen']),
    mayTryAgain: ({ context, event }) => mayTryAgain(context, failureIn(event)),
  },

  delays: {
    untilRefresh: ({ context }) => refreshDelay(context, now(context)),
    untilExpiry: ({ context }) => timeUntil(context.expiresAt, now(context)),
    untilRetry: ({ context }) => retryDelay(context, now(context)),
    untilCooledDown: ({ context }) => coolDownDelay(context, now(context)),
  },
})

/** The context of a session that knows nothing yet. */
const UNKNOWN = {
  epoch: 0,
  generation: 0,
  expiresAt: undefined,
  refreshAt: undefined,
  refreshable: true,
  status: 'unknown',
  rejectedGeneration: -1,
  ...NO_FAILURE,
  held: 0,
} as const

const machine = parts.createMachine({
  id: 'auth',
  description: 'Owns the token lifecycle of one session.',
  initial: 'restoring',
  context: ({ input: { policy, session, initial } }) => ({
    ...UNKNOWN,
    policy,
    session,
    ...(initial && { ...initial, status: 'active' }),
  }),

  on: {
    'session.signIn': { description: 'The app signs a user in.', target: '.authenticating' },
    'session.signOut': { description: 'The app signs the user out.', target: '.signingOut' },
    'session.endedElsewhere': {
      description: 'The user signed out in another tab or process, or the stored session was removed.',
      guard: 'isSignedInOrExpired',
      target: '.loggedOut',
      actions: ['recordSignOut', 'endSession', 'emitEnd'],
    },
    'session.expiredElsewhere': {
      description: 'The session expired in another tab or process.',
      guard: 'mayExpire',
      target: '.expired',
      actions: ['recordExpiry', 'emitEnd'],
    },
    'session.limitReached': {
      description: 'The session was unused for too long, or has lived for too long.',
      guard: 'mayExpire',
      target: '.expired',
      actions: ['recordExpiry', 'emitEnd'],
    },
    'tokens.received': [
      {
        description:
          'Tokens arrived that work: of a refresh in another tab, a late answer, or another sign-in.',
        guard: 'foundWorkingToken',
        target: '.authenticated',
        actions: ['emitTokens', 'recordTokens'],
      },
      {
        description: 'Tokens arrived that must be refreshed first.',
        target: '.refreshing.gate.closed',
        actions: ['emitTokens', 'recordTokens'],
      },
    ],
    'tokens.discarded': {
      description: 'Tokens arrived too late and were discarded.',
      actions: 'emitEvent',
    },
    'revocation.failed': {
      description: 'The server did not revoke tokens of a session that has ended.',
      actions: 'emitEvent',
    },
    'store.changed': {
      description: 'Another tab or process changed the stored session: look in the store.',
      actions: 'reloadSession',
    },
    'store.failed': {
      description: 'The store failed; the session goes on in memory.',
      actions: 'emitEvent',
    },
    'request.held': {
      description: 'Requests began to wait.',
      actions: ['recordHeld', 'emitEvent'],
    },
    'request.released': { description: 'Requests no longer wait.', actions: 'recordHeld' },
    'request.replayed': {
      description: 'Requests were sent again.',
      actions: ['recordHeld', 'emitEvent'],
    },
    'request.rejected': {
      description: 'Waiting requests were rejected.',
      actions: ['recordHeld', 'emitEvent'],
    },
    'request.stepUp': {
      description: 'A server asks for more than a fresh token.',
      actions: 'emitEvent',
    },
  },

  states: {
    restoring: {
      description: 'The stored session is being restored; requests wait.',
      tags: ['busy', 'hold'],
      always: [
        {
          description: 'The app gave tokens, and they work.',
          guard: 'sessionWorks',
          target: 'authenticated',
        },
        {
          description: 'The app gave tokens that must be refreshed.',
          guard: 'hasSession',
          target: 'refreshing.gate.closed',
        },
        {
          description: 'There is no store to read and no cookie to try.',
          guard: 'hasNothingToRestore',
          target: 'anonymous',
        },
      ],
      initial: 'reading',
      states: {
        reading: {
          description: 'The store is being read.',
          invoke: {
            src: 'restoreSession',
            input: ({ context }) => context,
            onDone: [
              {
                description: 'The stored token works.',
                guard: 'foundWorkingToken',
                target: '#auth.authenticated',
                actions: 'recordTokens',
              },
              {
                description: 'The stored token must be refreshed.',
                guard: 'foundTokens',
                target: '#auth.refreshing.gate.closed',
                actions: 'recordTokens',
              },
              {
                description: 'The store has no session, but there may be a cookie.',
                guard: 'maySignInSilently',
                target: 'signingInSilently',
              },
              { description: 'The store has no session.', target: '#auth.anonymous' },
            ],
          },
        },
        signingInSilently: {
          description: 'Cookie mode: only the server knows whether the HttpOnly cookie holds a session.',
          invoke: {
            src: 'refreshTokens',
            input: ({ context }) => context,
            onDone: {
              description: 'The cookie held a session.',
              target: '#auth.authenticated',
              actions: ['emitTokens', 'recordTokens'],
            },
            onError: [
              { description: 'The cookie holds no session.', guard: 'isFatal', target: '#auth.anonymous' },
              {
                description: 'It failed, but may succeed later.',
                guard: 'mayTryAgain',
                target: 'backingOff',
                actions: ['recordFailure', 'emitFailure'],
              },
              {
                description: 'All attempts failed.',
                target: '#auth.anonymous',
                actions: ['recordFailure', 'emitFailure', 'resetAttempts'],
              },
            ],
          },
        },
        backingOff: {
          description: 'The last attempt failed, but the next one may succeed.',
          after: { untilRetry: { description: 'The next attempt is due.', target: 'signingInSilently' } },
        },
      },
    },

    anonymous: {
      description: 'No user is signed in; requests are sent without a token.',
      tags: ['settled', 'anonymous'],
      entry: 'recordNoSession',
      on: { 'session.signOut': { description: 'No user is signed in.' } },
    },

    authenticating: {
      description: 'A sign-in is in progress; requests wait.',
      tags: ['busy', 'hold'],
      on: {
        'tokens.received': {
          description:
            'A refresh from before the sign-in was answered: a failed sign-in returns to these tokens.',
          guard: 'receivedWorkingRefresh',
          actions: ['emitTokens', 'recordTokens'],
        },
        'session.expiredElsewhere': {
          description:
            'The session from before the sign-in expired in another tab: a failed sign-in finds it expired.',
          guard: 'hasSession',
          actions: ['recordExpiry', 'expireSession'],
        },
      },
      invoke: {
        src: 'authenticate',
        input: ({ context }) => context,
        onDone: {
          description: 'The user is signed in.',
          target: 'authenticated',
          actions: ['emitTokens', 'recordTokens'],
        },
        onError: [
          {
            description: 'It failed: the session before it goes on.',
            guard: 'sessionWorks',
            target: 'authenticated',
          },
          {
            description: 'It failed: the session before it goes on, but must be refreshed.',
            guard: 'hasSession',
            target: 'refreshing.gate.closed',
          },
          {
            description: 'It failed: the session before it had expired.',
            guard: 'wasExpired',
            target: 'expired',
          },
          {
            description: 'It failed: the user had signed out before.',
            guard: 'wasSignedOut',
            target: 'loggedOut',
          },
          {
            description: 'It failed: the store was not read yet.',
            guard: 'wasRestoring',
            target: 'restoring',
          },
          { description: 'It failed: no user is signed in.', target: 'anonymous' },
        ],
      },
    },

    authenticated: {
      description: 'The token works; requests carry it.',
      tags: ['session', 'settled', 'pass'],
      on: {
        'environment.resumed': {
          description: 'Timers may be late: look at the clock.',
          guard: 'refreshesOnSchedule',
          actions: 'checkClock',
        },
        'environment.online': {
          description: 'The network is back: look at the clock.',
          guard: 'refreshesOnSchedule',
          actions: 'checkClock',
        },
      },
      initial: 'refreshable',
      states: {
        refreshable: {
          description: 'The tokens can be refreshed: early by the clock, or when a server answers 401.',
          always: {
            description: 'The refresh token is known to be rejected or expired.',
            guard: 'isLastToken',
            target: 'lastToken',
          },
          after: {
            untilRefresh: [
              {
                description: 'It is time to refresh, before the token expires.',
                guard: 'isScheduledRefreshDue',
                target: '#auth.refreshing',
              },
              {
                description: 'The timer was early: wait on.',
                guard: 'isTooEarly',
                target: 'refreshable',
                reenter: true,
              },
            ],
          },
          on: {
            'clock.check': [
              {
                description: 'The token expired, and the timer is late.',
                guard: 'tokenFails',
                target: '#auth.refreshing.gate.closed',
              },
              {
                description: 'A refresh is due, and the timer is late.',
                guard: 'refreshIsDue',
                target: '#auth.refreshing',
              },
            ],
            'session.refresh': [
              {
                description: 'The app asks for a new token; the old one still works.',
                guard: 'tokenWorks',
                target: '#auth.refreshing',
              },
              {
                description: 'The app asks for a new token; the old one does not work.',
                target: '#auth.refreshing.gate.closed',
              },
            ],
            'request.unauthorized': {
              description: 'A server refuses the token.',
              guard: 'isCurrentGeneration',
              target: '#auth.refreshing.gate.closed',
              actions: 'rejectGeneration',
            },
          },
        },
        lastToken: {
          description: 'The refresh token cannot be used any more; this access token is the last one.',
          entry: 'rejectRefreshWaiters',
          after: {
            untilExpiry: [
              {
                description: 'The last token expired.',
                guard: 'tokenFails',
                target: '#auth.expired',
                actions: ['recordExpiry', 'emitEnd'],
              },
              { description: 'The timer was early: wait on.', target: 'lastToken', reenter: true },
            ],
          },
          on: {
            'clock.check': {
              description: 'The last token expired, and the timer is late.',
              guard: 'tokenFails',
              target: '#auth.expired',
              actions: ['recordExpiry', 'emitEnd'],
            },
            'session.refresh': {
              description: 'There is nothing left to refresh with.',
              actions: 'rejectRefreshWaiters',
            },
            'request.unauthorized': {
              description: 'A server refuses the last token.',
              guard: 'isCurrentGeneration',
              target: '#auth.expired',
              actions: ['recordExpiry', 'emitEnd'],
            },
          },
        },
      },
    },

    refreshing: {
      description: 'The tokens are being refreshed.',
      tags: ['busy', 'session'],
      type: 'parallel',
      states: {
        attempt: {
          description: 'One refresh, in as many attempts as it takes.',
          initial: 'requesting',
          states: {
            requesting: {
              description: 'The token endpoint is asked once.',
              invoke: {
                src: 'refreshTokens',
                input: ({ context }) => context,
                onDone: {
                  description: 'There are new tokens.',
                  target: '#auth.authenticated',
                  actions: ['emitTokens', 'recordTokens'],
                },
                onError: [
                  {
                    description: 'The refresh token was rejected; the access token still works.',
                    guard: 'isFatalWhileOpen',
                    target: '#auth.authenticated.lastToken',
                    actions: ['recordFailure', 'emitFailure'],
                  },
                  {
                    description: 'The refresh token was rejected, and no token works.',
                    guard: 'isFatal',
                    target: '#auth.expired',
                    actions: ['recordFailure', 'emitFailure', 'recordExpiry', 'emitEnd'],
                  },
                  {
                    description: 'The refresh token was sent, and no answer came.',
                    guard: 'isFirstDoubt',
                    target: 'ambiguous',
                    actions: ['recordFailure', 'emitFailure'],
                  },
                  {
                    description: 'There is no network.',
                    guard: 'failedOffline',
                    target: 'offline',
                    actions: ['recordFailure', 'emitFailure'],
                  },
                  {
                    description: 'It failed, but may succeed later.',
                    guard: 'mayTryAgain',
                    target: 'backingOff',
                    actions: ['recordFailure', 'emitFailure'],
                  },
                  {
                    description: 'All attempts failed.',
                    target: 'coolingDown',
                    actions: ['recordFailure', 'emitFailure'],
                  },
                ],
              },
            },
            backingOff: {
              description: 'The last attempt failed, but the next one may succeed.',
              always: { description: 'The next attempt is due.', guard: 'retryIsDue', target: 'requesting' },
              after: { untilRetry: { description: 'The next attempt is due.', target: 'requesting' } },
              on: {
                'environment.offline': { description: 'The network is gone.', target: 'offline' },
                'session.refresh': {
                  description: 'The app asks for a new token, although the server asked to wait.',
                  guard: 'isToldToWait',
                  target: 'backingOff',
                  reenter: true,
                  actions: 'skipWait',
                },
                'environment.online': {
                  description: 'The network is back.',
                  target: 'backingOff',
                  reenter: true,
                  actions: 'skipBackoff',
                },
                'environment.resumed': {
                  description: 'The page is visible again, or the machine was resumed.',
                  target: 'backingOff',
                  reenter: true,
                  actions: 'skipBackoff',
                },
              },
            },
            ambiguous: {
              description:
                'The refresh token was sent and no answer came, so it may be spent: look in the store first.',
              invoke: {
                src: 'restoreSession',
                input: ({ context }) => context,
                onDone: [
                  {
                    description: 'The store holds newer tokens.',
                    guard: 'foundTokens',
                    target: '#auth.authenticated',
                    actions: ['emitTokens', 'recordTokens'],
                  },
                  {
                    description: 'The refresh token is not sent again; the access token still works.',
                    guard: 'expiresWhenAmbiguousLater',
                    target: '#auth.authenticated.lastToken',
                    actions: 'giveUpRefreshing',
                  },
                  {
                    description: 'The refresh token is not sent again, and no token works.',
                    guard: 'expiresWhenAmbiguous',
                    target: '#auth.expired',
                    actions: ['recordDoubt', 'recordExpiry', 'emitEnd'],
                  },
                  { description: 'The refresh token is sent once more.', target: 'requesting' },
                ],
              },
            },
            offline: {
              description: 'There seems to be no network: attempts are rare.',
              entry: 'resetAttempts',
              after: {
                untilCooledDown: { description: 'One more attempt, after a while.', target: 'requesting' },
              },
              on: {
                'request.held': {
                  description: 'A request waits: an attempt costs nothing.',
                  target: 'backingOff',
                  actions: ['skipBackoff', 'recordHeld', 'emitEvent'],
                },
                'environment.online': {
                  description: 'The network is back.',
                  target: 'backingOff',
                  actions: 'skipBackoff',
                },
                'environment.resumed': {
                  description: 'The page is visible again, or the machine was resumed.',
                  target: 'backingOff',
                  actions: 'skipBackoff',
                },
                'session.refresh': {
                  description: 'The app asks for a new token.',
                  target: 'backingOff',
                  actions: 'skipWait',
                },
              },
            },
            coolingDown: {
              description: 'All attempts failed: requests that wait are rejected, and the session is kept.',
              entry: 'rejectHeldRequests',
              after: {
                untilCooledDown: { description: 'One more attempt, after a while.', target: 'requesting' },
              },
              on: {
                'request.held': {
                  description: 'A request waits: new attempts.',
                  target: 'backingOff',
                  actions: ['resetAttempts', 'skipBackoff', 'recordHeld', 'emitEvent'],
                },
                'session.refresh': {
                  description: 'The app asks for a new token: new attempts.',
                  target: 'backingOff',
                  actions: ['resetAttempts', 'skipWait'],
                },
                'environment.online': {
                  description: 'The network is back: new attempts.',
                  target: 'backingOff',
                  actions: ['resetAttempts', 'skipBackoff'],
                },
                'environment.resumed': {
                  description: 'The page is visible again, or the machine was resumed: new attempts.',
                  target: 'backingOff',
                  actions: ['resetAttempts', 'skipBackoff'],
                },
              },
            },
          },
        },
        gate: {
          description: 'Whether requests are sent or wait during the refresh.',
          initial: 'open',
          states: {
            open: {
              description: 'The old token still works, so no request waits.',
              tags: 'pass',
              after: {
                untilExpiry: [
                  { description: 'The old token expired.', guard: 'tokenFails', target: 'closed' },
                  { description: 'The timer was early: wait on.', target: 'open', reenter: true },
                ],
              },
              on: {
                'clock.check': {
                  description: 'The old token expired, and the timer is late.',
                  guard: 'tokenFails',
                  target: 'closed',
                },
                'request.unauthorized': {
                  description: 'A server refuses the old token.',
                  guard: 'isCurrentGeneration',
                  target: 'closed',
                  actions: 'rejectGeneration',
                },
              },
            },
            closed: { description: 'No token works: requests wait.', tags: 'hold' },
          },
        },
      },
    },

    expired: {
      description: 'The session ended by itself; context.reason says why.',
      tags: ['settled', 'refuse'],
      entry: 'expireSession',
    },

    signingOut: {
      description: 'The session has ended here; the server is being notified, in bounded time.',
      tags: ['busy', 'refuse'],
      entry: ['recordSignOut', 'endSession'],
      exit: 'emitEnd',
      invoke: {
        src: 'revokeTokens',
        input: ({ context }) => context,
        onDone: { description: 'The server was notified, or could not be.', target: 'loggedOut' },
      },
      on: { 'session.signOut': { description: 'A sign-out is in progress already.' } },
    },

    loggedOut: {
      description: 'The user signed out; requests are sent without a token.',
      tags: ['settled', 'anonymous'],
      on: { 'session.signOut': { description: 'The user has signed out already.' } },
    },
  },
})

type InferredMachine = typeof machine

/** The auth chart's own name, so that declarations which use it stay short. */
export interface AuthMachine extends InferredMachine {}

/**
 * The statechart of one session. Open it in Stately's tools as it is, or walk it as a test model; to run it against a
 * server, use `createAuth`, which provides its ports.
 *
 * @example
 * ```ts
 * import { authMachine } from 'authchart/machines'
 *
 * console.log(Object.keys(authMachine.states)) // ['restoring', 'anonymous', 'authenticating', …]
 * ```
 */
export const authMachine: AuthMachine = machine
