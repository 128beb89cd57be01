/**
 * The session's token lifecycle, as one statechart.
 *
 * It decides *when*: when to renew, when requests pass or wait, when to try again, and when a session is over. It does
 * nothing itself. Reading stores, exchanging tokens, opening the gate and telling the time are placeholders here, filled
 * by `src/core/provide.ts`; tokens never come near it (see `vocabulary.ts`).
 *
 * The literal below is kept plain on purpose (names only, no helpers, one target each), so that Stately's tools read
 * the file as it stands.
 */
import { and, assign, emit, fromPromise, not, raise, setup, stateIn } from 'xstate'
import type {
  AuthContext,
  AuthEmitted,
  AuthEvent,
  AuthInput,
  ExchangeFailure,
  Reason,
  TokenFacts,
} from './vocabulary.ts'

/** What becomes of a request that arrives: the drawings and Stately's tools show it with each state. */
interface RequestsMeta {
  readonly requests?: 'sent' | 'held' | 'sent without a token' | 'rejected' | 'as the gate says'
}

const notProvided = (): never => {
  throw new Error('The auth machine was started without its implementations. Use createAuth().')
}

/** What an invoked actor gave back rides on events that the `events` type does not list. */
const failureIn = (event: object) => (event as { error?: ExchangeFailure }).error
const factsIn = (event: object) =>
  (event as { output?: TokenFacts }).output ?? (event as { facts?: TokenFacts }).facts

const machine = setup({
  types: {
    input: {} as AuthInput,
    context: {} as AuthContext,
    events: {} as AuthEvent,
    emitted: {} as AuthEmitted,
    tags: {} as 'busy' | 'session' | 'settled',
    meta: {} as RequestsMeta,
  },

  actors: {
    /** Reads the store; gives facts only where it holds tokens newer than the ones at hand; fails where it cannot. */
    readSession: fromPromise<TokenFacts | undefined>(async () => notProvided()),
    /** Runs the pending sign-in. */
    authenticate: fromPromise<TokenFacts>(async () => notProvided()),
    /** One try of the token exchange, under the coordinator's lock; fails with an `ExchangeFailure`. */
    exchangeTokens: fromPromise<TokenFacts, { attempt: number }>(async () => notProvided()),
    /** Revokes what the session left behind, in bounded time. */
    revokeTokens: fromPromise<void>(async () => notProvided()),
  },

  actions: {
    // Placeholders.
    letRequestsPass: notProvided,
    holdRequests: notProvided,
    refuseRequests: notProvided,
    sendWithoutToken: notProvided,
    rejectHeldRequests: notProvided,
    rejectRenewals: notProvided,
    eraseTokens: notProvided,
    dismissSession: notProvided,
    syncWithStore: notProvided,
    lookForUse: notProvided,

    // What is emitted; the facade stamps `at` and `from`, which the chart cannot know.
    enter: emit(({ context }, params: { to: string }): AuthEmitted => {
      const { epoch, generation, reason } = context
      return {
        type: 'transition',
        at: 0,
        from: '',
        to: params.to,
        epoch,
        generation,
        ...(reason && { reason }),
      }
    }),
    announce: emit(
      ({ context }, params: { type: 'signedIn' | 'refreshed' | 'expired' | 'signedOut' }): AuthEmitted => {
        const { epoch, generation, reason } = context
        return { type: params.type, at: 0, epoch, generation, ...(reason && { reason }) }
      },
    ),
    /** Before they are recorded: those of another session are somebody else's sign-in, elsewhere. */
    announceTokens: emit(({ context, event }): AuthEmitted => {
      const { epoch = context.epoch, generation = context.generation } = factsIn(event) ?? {}
      return { type: epoch === context.epoch ? 'refreshed' : 'signedIn', at: 0, epoch, generation }
    }),
    announceFailure: emit(({ context }): AuthEmitted => {
      const { epoch, generation, attempt, failure } = context
      const { fatal = false, reason = 'network', status, retryAt } = failure ?? {}
      return {
        type: 'refreshFailed',
        at: 0,
        epoch,
        generation,
        reason,
        attempt,
        fatal,
        ...(status !== undefined && { status }),
        ...(!fatal && retryAt !== undefined && { retryAt }),
      }
    }),
    /** Passes on what the event says, word for word. */
    relay: emit(({ context, event }, params: { as: AuthEmitted['type'] }): AuthEmitted => {
      const { epoch, generation } = context
      return { ...event, type: params.as, at: 0, epoch, generation } as AuthEmitted
    }),

    // What is remembered.
    recordTokens: assign(({ event }) => ({
      ...factsIn(event),
      standing: 'session',
      attempt: 0,
      retryAt: 0,
      notBefore: 0,
      uncertain: false,
      failure: undefined,
      reason: undefined,
    })),
    recordFailure: assign(({ context, event }) => {
      const failure = failureIn(event)
      return {
        failure,
        attempt: context.attempt + 1,
        retryAt: failure?.retryAt ?? 0,
        notBefore: failure?.notBefore ?? 0,
        uncertain: context.uncertain || failure?.uncertain === true,
        renewable: failure?.fatal !== true,
      }
    }),
    resetAttempts: assign({ attempt: 0 }),
    rejectGeneration: assign({ rejectedGeneration: ({ context }) => context.generation }),
    giveUpRenewing: assign({ renewable: false }),
    recordHeld: assign({ held: ({ context, event }) => ('held' in event ? event.held : context.held) }),
    recordNobody: assign({ standing: 'nobody' }),
    recordExpiry: assign(({ context }, params: { reason?: Reason }) => ({
      standing: 'expired',
      reason: params.reason ?? context.failure?.reason ?? 'token_expired',
    })),
    recordSignOut: assign(({ context }, params: { reason: Reason }) => ({
      standing: 'left',
      reason: params.reason,
      epoch: context.epoch + 1,
      expiresAt: undefined,
      renewAt: undefined,
      failure: undefined,
    })),
    checkClock: raise({ type: 'session.check' }),
  },

  guards: {
    // Placeholders that need a clock or the world.
    tokenStillWorks: notProvided,
    renewalIsDue: notProvided,
    idleLimitReached: notProvided,
    lifetimeReached: notProvided,
    mayRetryNow: notProvided,
    renewsByItself: notProvided,
    foundWorkingToken: notProvided,

    foundTokens: ({ event }) => factsIn(event) !== undefined,
    maySignInSilently: ({ context }) => context.policy.silentSignIn,
    hasNothingToRestore: ({ context }) =>
      context.standing === 'unknown' && !context.policy.restores && !context.policy.silentSignIn,
    hasSession: ({ context }) => context.standing === 'session',
    wasExpired: ({ context }) => context.standing === 'expired',
    wasLeft: ({ context }) => context.standing === 'left',
    wasRestoring: ({ context }) => context.standing === 'unknown',
    isSignedInOrExpired: ({ context }) => context.standing === 'session' || context.standing === 'expired',
    isCurrentGeneration: ({ context, event }) =>
      event.type === 'request.unauthorized' && event.generation === context.generation,
    isLastToken: ({ context }) => !context.renewable,
    sessionStillWorks: and(['hasSession', 'tokenStillWorks']),
    tokenIsDead: not('tokenStillWorks'),
    isTooEarly: not('renewalIsDue'),
    isDueByItself: and(['renewsByItself', 'renewalIsDue']),

    adoptsRenewal: ({ event }) => event.type === 'session.adopt' && event.renewal && event.works,
    adoptsWorkingToken: ({ event }) => event.type === 'session.adopt' && event.works,

    gateIsOpen: stateIn({ refreshing: { gate: 'open' } }),
    isFatal: ({ event }) => failureIn(event)?.fatal === true,
    failedOffline: ({ event }) => failureIn(event)?.reason === 'offline',
    isFatalWhileOpen: and(['isFatal', 'gateIsOpen']),
    isUncertain: ({ context, event }) =>
      failureIn(event)?.uncertain === true &&
      (!context.uncertain || context.policy.ambiguousRefresh === 'expire'),
    uncertaintyEndsIt: ({ context }) => context.policy.ambiguousRefresh === 'expire',
    uncertaintyEndsItLater: and(['uncertaintyEndsIt', 'gateIsOpen']),
    mayTryAgain: ({ context, event }) =>
      context.attempt + 1 < context.policy.attempts &&
      // Who waits has waited for two whole timeouts by then.
      !(context.uncertain && failureIn(event)?.reason === 'timeout'),
  },

  delays: {
    // Placeholders: milliseconds from now, told by the clock the core is given.
    untilRenewal: Number.POSITIVE_INFINITY,
    untilExpiry: Number.POSITIVE_INFINITY,
    untilRetry: Number.POSITIVE_INFINITY,
    untilCooledDown: Number.POSITIVE_INFINITY,
    untilSessionLimit: Number.POSITIVE_INFINITY,
  },
}).createMachine({
  id: 'auth',
  description: 'Owns the token lifecycle of one session.',
  initial: 'restoring',
  context: ({ input }) => ({
    policy: input.policy,
    epoch: input.initial?.epoch ?? 0,
    generation: input.initial?.generation ?? 0,
    expiresAt: input.initial?.expiresAt,
    renewAt: input.initial?.renewAt,
    renewable: input.initial?.renewable ?? true,
    standing: input.initial ? 'session' : 'unknown',
    rejectedGeneration: -1,
    attempt: 0,
    retryAt: 0,
    notBefore: 0,
    uncertain: false,
    failure: undefined,
    reason: undefined,
    held: 0,
  }),

  on: {
    'session.signIn': { target: '.authenticating' },
    'session.adopt': [
      {
        guard: 'adoptsRenewal',
        target: '.authenticated',
        actions: ['recordTokens', { type: 'announce', params: { type: 'refreshed' } }],
      },
      {
        guard: 'adoptsWorkingToken',
        target: '.authenticated',
        actions: ['recordTokens', { type: 'announce', params: { type: 'signedIn' } }],
      },
      {
        target: '.refreshing.gate.closed',
        actions: ['recordTokens', { type: 'announce', params: { type: 'signedIn' } }],
      },
    ],
    'session.signOut': { target: '.signingOut' },
    'session.removed': {
      guard: 'isSignedInOrExpired',
      target: '.loggedOut',
      actions: [
        { type: 'recordSignOut', params: { reason: 'signed_out_elsewhere' } },
        'dismissSession',
        { type: 'announce', params: { type: 'signedOut' } },
      ],
    },
    'session.sync': { actions: 'syncWithStore' },
    'request.held': { actions: ['recordHeld', { type: 'relay', params: { as: 'requestHeld' } }] },
    'request.released': { actions: 'recordHeld' },
    'request.replayed': { actions: ['recordHeld', { type: 'relay', params: { as: 'requestReplayed' } }] },
    'request.rejected': { actions: ['recordHeld', { type: 'relay', params: { as: 'requestRejected' } }] },
    'request.stepUp': { actions: { type: 'relay', params: { as: 'stepUpRequired' } } },
    'storage.failed': { actions: { type: 'relay', params: { as: 'storageFailed' } } },
    'exchange.discarded': { actions: { type: 'relay', params: { as: 'discarded' } } },
  },

  states: {
    restoring: {
      description: 'Reading the stored session; requests wait.',
      tags: 'busy',
      meta: { requests: 'held' },
      entry: [{ type: 'enter', params: { to: 'restoring' } }, 'holdRequests'],
      always: [
        { guard: 'sessionStillWorks', target: 'authenticated' },
        { guard: 'hasSession', target: 'refreshing.gate.closed' },
        { guard: 'hasNothingToRestore', target: 'anonymous' },
      ],
      initial: 'reading',
      states: {
        reading: {
          description: 'The store is asked.',
          tags: 'busy',
          meta: { requests: 'held' },
          invoke: {
            src: 'readSession',
            onDone: [
              { guard: 'foundWorkingToken', target: '#auth.authenticated', actions: 'recordTokens' },
              { guard: 'foundTokens', target: '#auth.refreshing.gate.closed', actions: 'recordTokens' },
              { guard: 'maySignInSilently', target: 'signingInSilently' },
              { target: '#auth.anonymous' },
            ],
            onError: [
              { guard: 'maySignInSilently', target: 'signingInSilently' },
              { target: '#auth.anonymous' },
            ],
          },
        },
        signingInSilently: {
          description: 'Cookie mode: only the server can say whether a session lives in the HttpOnly cookie.',
          tags: 'busy',
          meta: { requests: 'held' },
          invoke: {
            src: 'exchangeTokens',
            input: ({ context }) => ({ attempt: context.attempt }),
            onDone: {
              target: '#auth.authenticated',
              actions: ['recordTokens', { type: 'announce', params: { type: 'signedIn' } }],
            },
            onError: [
              { guard: 'isFatal', target: '#auth.anonymous' },
              {
                guard: 'mayTryAgain',
                target: 'backingOff',
                actions: ['recordFailure', 'announceFailure'],
              },
              { target: '#auth.anonymous', actions: ['recordFailure', 'announceFailure', 'resetAttempts'] },
            ],
          },
        },
        backingOff: {
          description: 'That failed for a reason that may pass.',
          tags: 'busy',
          meta: { requests: 'held' },
          after: { untilRetry: { target: 'signingInSilently' } },
        },
      },
    },

    anonymous: {
      description: 'Nobody is signed in; requests go without a token.',
      tags: 'settled',
      meta: { requests: 'sent without a token' },
      entry: [{ type: 'enter', params: { to: 'anonymous' } }, 'recordNobody', 'sendWithoutToken'],
      on: { 'session.signOut': {} },
    },

    authenticating: {
      description: 'A sign-in is in flight; requests wait.',
      tags: 'busy',
      meta: { requests: 'held' },
      entry: [{ type: 'enter', params: { to: 'authenticating' } }, 'holdRequests'],
      on: {
        'session.adopt': {
          description:
            'An exchange from before the sign-in was answered: the session to come back to is newer.',
          guard: 'adoptsRenewal',
          actions: ['recordTokens', { type: 'announce', params: { type: 'refreshed' } }],
        },
      },
      invoke: {
        src: 'authenticate',
        onDone: {
          target: 'authenticated',
          actions: ['recordTokens', { type: 'announce', params: { type: 'signedIn' } }],
        },
        onError: [
          { guard: 'sessionStillWorks', target: 'authenticated' },
          { guard: 'hasSession', target: 'refreshing.gate.closed' },
          { guard: 'wasExpired', target: 'expired' },
          { guard: 'wasLeft', target: 'loggedOut' },
          { guard: 'wasRestoring', target: 'restoring' },
          { target: 'anonymous' },
        ],
      },
    },

    authenticated: {
      description: 'The token works; requests carry it.',
      tags: ['session', 'settled'],
      meta: { requests: 'sent' },
      entry: { type: 'enter', params: { to: 'authenticated' } },
      always: [
        {
          guard: 'idleLimitReached',
          target: 'expired',
          actions: [
            { type: 'recordExpiry', params: { reason: 'idle' } },
            { type: 'announce', params: { type: 'expired' } },
          ],
        },
        {
          guard: 'lifetimeReached',
          target: 'expired',
          actions: [
            { type: 'recordExpiry', params: { reason: 'lifetime' } },
            { type: 'announce', params: { type: 'expired' } },
          ],
        },
      ],
      after: { untilSessionLimit: { target: 'authenticated', reenter: true, actions: 'lookForUse' } },
      on: {
        'environment.woke': { guard: 'renewsByItself', actions: 'checkClock' },
        'environment.online': { guard: 'renewsByItself', actions: 'checkClock' },
      },
      initial: 'renewable',
      states: {
        renewable: {
          description: 'There is a way to renew: early by the clock, or when a server says 401.',
          tags: ['session', 'settled'],
          meta: { requests: 'sent' },
          entry: [{ type: 'enter', params: { to: 'authenticated.renewable' } }, 'letRequestsPass'],
          always: { guard: 'isLastToken', target: 'terminal' },
          after: {
            untilRenewal: [
              { guard: 'isDueByItself', target: '#auth.refreshing' },
              { guard: 'isTooEarly', target: 'renewable', reenter: true },
            ],
          },
          on: {
            'session.check': [
              { guard: 'tokenIsDead', target: '#auth.refreshing.gate.closed' },
              { guard: 'renewalIsDue', target: '#auth.refreshing' },
            ],
            'session.refresh': [
              { guard: 'tokenStillWorks', target: '#auth.refreshing' },
              { target: '#auth.refreshing.gate.closed' },
            ],
            'request.unauthorized': {
              guard: 'isCurrentGeneration',
              target: '#auth.refreshing.gate.closed',
              actions: 'rejectGeneration',
            },
          },
        },
        terminal: {
          description: 'The refresh token is dead; this access token is the last one.',
          tags: ['session', 'settled'],
          meta: { requests: 'sent' },
          entry: [
            { type: 'enter', params: { to: 'authenticated.terminal' } },
            'letRequestsPass',
            'rejectRenewals',
          ],
          after: {
            untilExpiry: [
              {
                guard: 'tokenIsDead',
                target: '#auth.expired',
                actions: [
                  { type: 'recordExpiry', params: {} },
                  { type: 'announce', params: { type: 'expired' } },
                ],
              },
              { target: 'terminal', reenter: true },
            ],
          },
          on: {
            'session.check': {
              guard: 'tokenIsDead',
              target: '#auth.expired',
              actions: [
                { type: 'recordExpiry', params: {} },
                { type: 'announce', params: { type: 'expired' } },
              ],
            },
            'session.refresh': { actions: 'rejectRenewals' },
            'request.unauthorized': {
              guard: 'isCurrentGeneration',
              target: '#auth.expired',
              actions: [
                { type: 'recordExpiry', params: {} },
                { type: 'announce', params: { type: 'expired' } },
              ],
            },
          },
        },
      },
    },

    refreshing: {
      description: 'One exchange is under way and outlives every change around it.',
      tags: ['busy', 'session'],
      meta: { requests: 'as the gate says' },
      type: 'parallel',
      entry: { type: 'enter', params: { to: 'refreshing' } },
      states: {
        exchange: {
          description: 'Asking the token endpoint for new tokens.',
          tags: ['busy', 'session'],
          meta: { requests: 'as the gate says' },
          initial: 'requesting',
          states: {
            requesting: {
              description: 'The token endpoint is being asked, once.',
              tags: ['busy', 'session'],
              meta: { requests: 'as the gate says' },
              entry: { type: 'enter', params: { to: 'refreshing.exchange.requesting' } },
              invoke: {
                src: 'exchangeTokens',
                input: ({ context }) => ({ attempt: context.attempt }),
                onDone: { target: '#auth.authenticated', actions: ['announceTokens', 'recordTokens'] },
                onError: [
                  {
                    guard: 'isFatalWhileOpen',
                    target: '#auth.authenticated.terminal',
                    actions: ['recordFailure', 'announceFailure'],
                  },
                  {
                    guard: 'isFatal',
                    target: '#auth.expired',
                    actions: [
                      'recordFailure',
                      'announceFailure',
                      { type: 'recordExpiry', params: {} },
                      { type: 'announce', params: { type: 'expired' } },
                    ],
                  },
                  {
                    guard: 'isUncertain',
                    target: 'uncertain',
                    actions: ['recordFailure', 'announceFailure'],
                  },
                  {
                    guard: 'failedOffline',
                    target: 'offline',
                    actions: ['recordFailure', 'announceFailure'],
                  },
                  {
                    guard: 'mayTryAgain',
                    target: 'backingOff',
                    actions: ['recordFailure', 'announceFailure'],
                  },
                  { target: 'suspended', actions: ['recordFailure', 'announceFailure'] },
                ],
              },
            },
            backingOff: {
              description: 'The last try failed for a reason that may pass.',
              tags: ['busy', 'session'],
              meta: { requests: 'as the gate says' },
              entry: { type: 'enter', params: { to: 'refreshing.exchange.backingOff' } },
              after: { untilRetry: { target: 'requesting' } },
              on: {
                'environment.offline': { target: 'offline' },
                'environment.online': { guard: 'mayRetryNow', target: 'requesting' },
                'environment.woke': { guard: 'mayRetryNow', target: 'requesting' },
              },
            },
            uncertain: {
              description:
                'The refresh token was sent and no answer came, so it may be spent: look in the store first.',
              tags: ['busy', 'session'],
              meta: { requests: 'as the gate says' },
              entry: { type: 'enter', params: { to: 'refreshing.exchange.uncertain' } },
              invoke: {
                src: 'readSession',
                onDone: [
                  {
                    guard: 'foundTokens',
                    target: '#auth.authenticated',
                    actions: ['announceTokens', 'recordTokens'],
                  },
                  {
                    guard: 'uncertaintyEndsItLater',
                    target: '#auth.authenticated.terminal',
                    actions: 'giveUpRenewing',
                  },
                  {
                    guard: 'uncertaintyEndsIt',
                    target: '#auth.expired',
                    actions: [
                      { type: 'recordExpiry', params: { reason: 'uncertain' } },
                      { type: 'announce', params: { type: 'expired' } },
                    ],
                  },
                  { target: 'requesting' },
                ],
                onError: [
                  {
                    guard: 'uncertaintyEndsItLater',
                    target: '#auth.authenticated.terminal',
                    actions: 'giveUpRenewing',
                  },
                  {
                    guard: 'uncertaintyEndsIt',
                    target: '#auth.expired',
                    actions: [
                      { type: 'recordExpiry', params: { reason: 'uncertain' } },
                      { type: 'announce', params: { type: 'expired' } },
                    ],
                  },
                  { target: 'requesting' },
                ],
              },
            },
            offline: {
              description: 'No network: no tries are wasted.',
              tags: ['busy', 'session'],
              meta: { requests: 'as the gate says' },
              entry: [{ type: 'enter', params: { to: 'refreshing.exchange.offline' } }, 'resetAttempts'],
              on: {
                'environment.online': [
                  { guard: 'mayRetryNow', target: 'requesting' },
                  { target: 'backingOff' },
                ],
                'environment.woke': [
                  { guard: 'mayRetryNow', target: 'requesting' },
                  { target: 'backingOff' },
                ],
                'session.refresh': [{ guard: 'mayRetryNow', target: 'requesting' }, { target: 'backingOff' }],
              },
            },
            suspended: {
              description: 'All tries are spent; who waits is told so, and the session is kept.',
              tags: ['busy', 'session'],
              meta: { requests: 'as the gate says' },
              entry: [
                { type: 'enter', params: { to: 'refreshing.exchange.suspended' } },
                'rejectHeldRequests',
              ],
              after: { untilCooledDown: { target: 'requesting' } },
              on: {
                'request.held': [
                  {
                    guard: 'mayRetryNow',
                    target: 'requesting',
                    actions: [
                      'resetAttempts',
                      'recordHeld',
                      { type: 'relay', params: { as: 'requestHeld' } },
                    ],
                  },
                  {
                    target: 'backingOff',
                    actions: [
                      'resetAttempts',
                      'recordHeld',
                      { type: 'relay', params: { as: 'requestHeld' } },
                    ],
                  },
                ],
                'session.refresh': [
                  { guard: 'mayRetryNow', target: 'requesting', actions: 'resetAttempts' },
                  { target: 'backingOff', actions: 'resetAttempts' },
                ],
                'environment.online': [
                  { guard: 'mayRetryNow', target: 'requesting', actions: 'resetAttempts' },
                  { target: 'backingOff', actions: 'resetAttempts' },
                ],
                'environment.woke': [
                  { guard: 'mayRetryNow', target: 'requesting', actions: 'resetAttempts' },
                  { target: 'backingOff', actions: 'resetAttempts' },
                ],
              },
            },
          },
        },
        gate: {
          description: 'Whether requests go or wait meanwhile.',
          tags: ['busy', 'session'],
          meta: { requests: 'as the gate says' },
          initial: 'open',
          states: {
            open: {
              description: 'The old token still works, so nobody waits.',
              tags: ['busy', 'session'],
              meta: { requests: 'sent' },
              entry: [{ type: 'enter', params: { to: 'refreshing.gate.open' } }, 'letRequestsPass'],
              after: {
                untilExpiry: [
                  { guard: 'tokenIsDead', target: 'closed' },
                  { target: 'open', reenter: true },
                ],
              },
              on: {
                'session.check': { guard: 'tokenIsDead', target: 'closed' },
                'request.unauthorized': {
                  guard: 'isCurrentGeneration',
                  target: 'closed',
                  actions: 'rejectGeneration',
                },
              },
            },
            closed: {
              description: 'No token works: requests wait.',
              tags: ['busy', 'session'],
              meta: { requests: 'held' },
              entry: [{ type: 'enter', params: { to: 'refreshing.gate.closed' } }, 'holdRequests'],
            },
          },
        },
        limits: {
          description: 'The limits of the session go on during a refresh.',
          tags: ['busy', 'session'],
          meta: { requests: 'as the gate says' },
          initial: 'watched',
          states: {
            watched: {
              description: 'A session may be idle for so long, and live for so long.',
              tags: ['busy', 'session'],
              meta: { requests: 'as the gate says' },
              always: [
                {
                  guard: 'idleLimitReached',
                  target: '#auth.expired',
                  actions: [
                    { type: 'recordExpiry', params: { reason: 'idle' } },
                    { type: 'announce', params: { type: 'expired' } },
                  ],
                },
                {
                  guard: 'lifetimeReached',
                  target: '#auth.expired',
                  actions: [
                    { type: 'recordExpiry', params: { reason: 'lifetime' } },
                    { type: 'announce', params: { type: 'expired' } },
                  ],
                },
              ],
              after: { untilSessionLimit: { target: 'watched', reenter: true, actions: 'lookForUse' } },
            },
          },
        },
      },
    },

    expired: {
      description: 'The session ended by itself; `reason` in context says why.',
      tags: 'settled',
      meta: { requests: 'rejected' },
      entry: [{ type: 'enter', params: { to: 'expired' } }, 'eraseTokens', 'refuseRequests'],
    },

    signingOut: {
      description: 'The session is over here; the server is being told, in bounded time.',
      tags: 'busy',
      meta: { requests: 'rejected' },
      entry: [
        { type: 'recordSignOut', params: { reason: 'signed_out' } },
        { type: 'enter', params: { to: 'signingOut' } },
        'dismissSession',
        'refuseRequests',
      ],
      invoke: {
        src: 'revokeTokens',
        onDone: { target: 'loggedOut', actions: { type: 'announce', params: { type: 'signedOut' } } },
        onError: { target: 'loggedOut', actions: { type: 'announce', params: { type: 'signedOut' } } },
      },
      on: { 'session.signOut': {} },
    },

    loggedOut: {
      description: 'The user left; requests go without a token.',
      tags: 'settled',
      meta: { requests: 'sent without a token' },
      entry: [{ type: 'enter', params: { to: 'loggedOut' } }, 'sendWithoutToken'],
      on: { 'session.signOut': {} },
    },
  },
})

type InferredMachine = typeof machine

/** The auth chart's own name, so that declarations which use it stay short. */
export interface AuthMachine extends InferredMachine {}

/**
 * The statechart of one session. Open it in Stately's tools as it stands, or walk it as a test model; to run it against
 * a server, use `createAuth`, which provides what it asks for.
 *
 * @example
 * ```ts
 * import { authMachine } from 'authchart/machines'
 *
 * console.log(Object.keys(authMachine.states)) // ['restoring', 'anonymous', 'authenticating', …]
 * ```
 */
export const authMachine: AuthMachine = machine
