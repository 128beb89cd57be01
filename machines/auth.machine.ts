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
    'session.signIn': { description: 'The app signs a user in.', target: '.authenticating' },
    'session.adopt': [
      {
        description: 'A renewal that was made elsewhere, or answered late.',
        guard: 'adoptsRenewal',
        target: '.authenticated',
        actions: ['recordTokens', { type: 'announce', params: { type: 'refreshed' } }],
      },
      {
        description: 'Tokens from elsewhere, and they work.',
        guard: 'adoptsWorkingToken',
        target: '.authenticated',
        actions: ['recordTokens', { type: 'announce', params: { type: 'signedIn' } }],
      },
      {
        description: 'Tokens from elsewhere that must be renewed first.',
        target: '.refreshing.gate.closed',
        actions: ['recordTokens', { type: 'announce', params: { type: 'signedIn' } }],
      },
    ],
    'session.signOut': { description: 'The app signs the user out.', target: '.signingOut' },
    'session.removed': {
      description: 'Another tab or process ended the session.',
      guard: 'isSignedInOrExpired',
      target: '.loggedOut',
      actions: [
        { type: 'recordSignOut', params: { reason: 'signed_out_elsewhere' } },
        'dismissSession',
        { type: 'announce', params: { type: 'signedOut' } },
      ],
    },
    'session.sync': {
      description: 'Another tab or process changed the session: look in the store.',
      actions: 'syncWithStore',
    },
    'request.held': {
      description: 'Requests began to wait.',
      actions: ['recordHeld', { type: 'relay', params: { as: 'requestHeld' } }],
    },
    'request.released': { description: 'Requests wait no longer.', actions: 'recordHeld' },
    'request.replayed': {
      description: 'Requests were sent again.',
      actions: ['recordHeld', { type: 'relay', params: { as: 'requestReplayed' } }],
    },
    'request.rejected': {
      description: 'Requests that waited were turned away.',
      actions: ['recordHeld', { type: 'relay', params: { as: 'requestRejected' } }],
    },
    'request.stepUp': {
      description: 'A server asks for more than a fresh token.',
      actions: { type: 'relay', params: { as: 'stepUpRequired' } },
    },
    'storage.failed': {
      description: 'The store failed; the session lives on in memory.',
      actions: { type: 'relay', params: { as: 'storageFailed' } },
    },
    'exchange.discarded': {
      description: 'Tokens came too late, and were thrown away.',
      actions: { type: 'relay', params: { as: 'discarded' } },
    },
  },

  states: {
    restoring: {
      description: 'Reading the stored session; requests wait.',
      tags: 'busy',
      meta: { requests: 'held' },
      entry: [{ type: 'enter', params: { to: 'restoring' } }, 'holdRequests'],
      always: [
        {
          description: 'There are tokens already, and they work.',
          guard: 'sessionStillWorks',
          target: 'authenticated',
        },
        {
          description: 'There are tokens already, and they must be renewed.',
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
          description: 'The store is asked.',
          tags: 'busy',
          meta: { requests: 'held' },
          invoke: {
            src: 'readSession',
            onDone: [
              {
                description: 'The stored token works.',
                guard: 'foundWorkingToken',
                target: '#auth.authenticated',
                actions: 'recordTokens',
              },
              {
                description: 'The stored token must be renewed.',
                guard: 'foundTokens',
                target: '#auth.refreshing.gate.closed',
                actions: 'recordTokens',
              },
              {
                description: 'The store is empty, but there may be a cookie.',
                guard: 'maySignInSilently',
                target: 'signingInSilently',
              },
              { description: 'The store is empty.', target: '#auth.anonymous' },
            ],
            onError: [
              {
                description: 'The store failed, but there may be a cookie.',
                guard: 'maySignInSilently',
                target: 'signingInSilently',
              },
              { description: 'The store failed.', target: '#auth.anonymous' },
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
              description: 'The cookie held a session.',
              target: '#auth.authenticated',
              actions: ['recordTokens', { type: 'announce', params: { type: 'signedIn' } }],
            },
            onError: [
              { description: 'The cookie holds no session.', guard: 'isFatal', target: '#auth.anonymous' },
              {
                description: 'It failed for a reason that may pass.',
                guard: 'mayTryAgain',
                target: 'backingOff',
                actions: ['recordFailure', 'announceFailure'],
              },
              {
                description: 'All tries are spent.',
                target: '#auth.anonymous',
                actions: ['recordFailure', 'announceFailure', 'resetAttempts'],
              },
            ],
          },
        },
        backingOff: {
          description: 'That failed for a reason that may pass.',
          tags: 'busy',
          meta: { requests: 'held' },
          after: { untilRetry: { description: 'The next try.', target: 'signingInSilently' } },
        },
      },
    },

    anonymous: {
      description: 'Nobody is signed in; requests go without a token.',
      tags: 'settled',
      meta: { requests: 'sent without a token' },
      entry: [{ type: 'enter', params: { to: 'anonymous' } }, 'recordNobody', 'sendWithoutToken'],
      on: { 'session.signOut': { description: 'Nobody is there to sign out.' } },
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
          description: 'The user is signed in.',
          target: 'authenticated',
          actions: ['recordTokens', { type: 'announce', params: { type: 'signedIn' } }],
        },
        onError: [
          {
            description: 'It failed: back to the session, whose token works.',
            guard: 'sessionStillWorks',
            target: 'authenticated',
          },
          {
            description: 'It failed: back to the session, whose token must be renewed.',
            guard: 'hasSession',
            target: 'refreshing.gate.closed',
          },
          {
            description: 'It failed: back to where the session had expired.',
            guard: 'wasExpired',
            target: 'expired',
          },
          {
            description: 'It failed: back to where the user had left.',
            guard: 'wasLeft',
            target: 'loggedOut',
          },
          {
            description: 'It failed: back to reading the store.',
            guard: 'wasRestoring',
            target: 'restoring',
          },
          { description: 'It failed: back to nobody.', target: 'anonymous' },
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
          description: 'The session was not used for too long.',
          guard: 'idleLimitReached',
          target: 'expired',
          actions: [
            { type: 'recordExpiry', params: { reason: 'idle' } },
            { type: 'announce', params: { type: 'expired' } },
          ],
        },
        {
          description: 'The session has lived for too long.',
          guard: 'lifetimeReached',
          target: 'expired',
          actions: [
            { type: 'recordExpiry', params: { reason: 'lifetime' } },
            { type: 'announce', params: { type: 'expired' } },
          ],
        },
      ],
      after: {
        untilSessionLimit: {
          description: 'A limit is near: look whether the session was used elsewhere.',
          target: 'authenticated',
          reenter: true,
          actions: 'lookForUse',
        },
      },
      on: {
        'environment.woke': {
          description: 'Timers may have slept: look at the clock.',
          guard: 'renewsByItself',
          actions: 'checkClock',
        },
        'environment.online': {
          description: 'The network is back: look at the clock.',
          guard: 'renewsByItself',
          actions: 'checkClock',
        },
      },
      initial: 'renewable',
      states: {
        renewable: {
          description: 'There is a way to renew: early by the clock, or when a server says 401.',
          tags: ['session', 'settled'],
          meta: { requests: 'sent' },
          entry: [{ type: 'enter', params: { to: 'authenticated.renewable' } }, 'letRequestsPass'],
          always: {
            description: 'The refresh token is known to be dead.',
            guard: 'isLastToken',
            target: 'terminal',
          },
          after: {
            untilRenewal: [
              {
                description: 'It is time to renew, before the token dies.',
                guard: 'isDueByItself',
                target: '#auth.refreshing',
              },
              {
                description: 'The timer was early: wait on.',
                guard: 'isTooEarly',
                target: 'renewable',
                reenter: true,
              },
            ],
          },
          on: {
            'session.check': [
              {
                description: 'The token died, and no timer has said so yet.',
                guard: 'tokenIsDead',
                target: '#auth.refreshing.gate.closed',
              },
              {
                description: 'The token is to be renewed, and no timer has said so yet.',
                guard: 'renewalIsDue',
                target: '#auth.refreshing',
              },
            ],
            'session.refresh': [
              {
                description: 'The app asks for a new token; the old one still works.',
                guard: 'tokenStillWorks',
                target: '#auth.refreshing',
              },
              {
                description: 'The app asks for a new token; the old one is dead.',
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
                description: 'The last token died.',
                guard: 'tokenIsDead',
                target: '#auth.expired',
                actions: [
                  { type: 'recordExpiry', params: {} },
                  { type: 'announce', params: { type: 'expired' } },
                ],
              },
              { description: 'The timer was early: wait on.', target: 'terminal', reenter: true },
            ],
          },
          on: {
            'session.check': {
              description: 'The last token died, and no timer has said so yet.',
              guard: 'tokenIsDead',
              target: '#auth.expired',
              actions: [
                { type: 'recordExpiry', params: {} },
                { type: 'announce', params: { type: 'expired' } },
              ],
            },
            'session.refresh': {
              description: 'There is nothing left to renew with.',
              actions: 'rejectRenewals',
            },
            'request.unauthorized': {
              description: 'A server refuses the last token.',
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
                onDone: {
                  description: 'There are new tokens.',
                  target: '#auth.authenticated',
                  actions: ['announceTokens', 'recordTokens'],
                },
                onError: [
                  {
                    description: 'The refresh token is dead; the access token still works.',
                    guard: 'isFatalWhileOpen',
                    target: '#auth.authenticated.terminal',
                    actions: ['recordFailure', 'announceFailure'],
                  },
                  {
                    description: 'The refresh token is dead, and no token works.',
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
                    description: 'The refresh token was sent, and no answer came.',
                    guard: 'isUncertain',
                    target: 'uncertain',
                    actions: ['recordFailure', 'announceFailure'],
                  },
                  {
                    description: 'There is no network.',
                    guard: 'failedOffline',
                    target: 'offline',
                    actions: ['recordFailure', 'announceFailure'],
                  },
                  {
                    description: 'It failed for a reason that may pass.',
                    guard: 'mayTryAgain',
                    target: 'backingOff',
                    actions: ['recordFailure', 'announceFailure'],
                  },
                  {
                    description: 'All tries are spent.',
                    target: 'suspended',
                    actions: ['recordFailure', 'announceFailure'],
                  },
                ],
              },
            },
            backingOff: {
              description: 'The last try failed for a reason that may pass.',
              tags: ['busy', 'session'],
              meta: { requests: 'as the gate says' },
              entry: { type: 'enter', params: { to: 'refreshing.exchange.backingOff' } },
              after: { untilRetry: { description: 'The next try.', target: 'requesting' } },
              on: {
                'environment.offline': { description: 'The network is gone.', target: 'offline' },
                'environment.online': {
                  description: 'The network is back: the next try.',
                  guard: 'mayRetryNow',
                  target: 'requesting',
                },
                'environment.woke': {
                  description: 'The page is seen again, or the machine woke: the next try.',
                  guard: 'mayRetryNow',
                  target: 'requesting',
                },
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
                    description: 'The store holds newer tokens.',
                    guard: 'foundTokens',
                    target: '#auth.authenticated',
                    actions: ['announceTokens', 'recordTokens'],
                  },
                  {
                    description: 'It is not presented again; the access token still works.',
                    guard: 'uncertaintyEndsItLater',
                    target: '#auth.authenticated.terminal',
                    actions: 'giveUpRenewing',
                  },
                  {
                    description: 'It is not presented again, and no token works.',
                    guard: 'uncertaintyEndsIt',
                    target: '#auth.expired',
                    actions: [
                      { type: 'recordExpiry', params: { reason: 'uncertain' } },
                      { type: 'announce', params: { type: 'expired' } },
                    ],
                  },
                  { description: 'It is presented once more.', target: 'requesting' },
                ],
                onError: [
                  {
                    description: 'It is not presented again; the access token still works.',
                    guard: 'uncertaintyEndsItLater',
                    target: '#auth.authenticated.terminal',
                    actions: 'giveUpRenewing',
                  },
                  {
                    description: 'It is not presented again, and no token works.',
                    guard: 'uncertaintyEndsIt',
                    target: '#auth.expired',
                    actions: [
                      { type: 'recordExpiry', params: { reason: 'uncertain' } },
                      { type: 'announce', params: { type: 'expired' } },
                    ],
                  },
                  { description: 'It is presented once more.', target: 'requesting' },
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
                  {
                    description: 'The network is back: the next try.',
                    guard: 'mayRetryNow',
                    target: 'requesting',
                  },
                  { description: 'The network is back; the server asked to wait.', target: 'backingOff' },
                ],
                'environment.woke': [
                  {
                    description: 'The page is seen again, or the machine woke: the next try.',
                    guard: 'mayRetryNow',
                    target: 'requesting',
                  },
                  {
                    description: 'The page is seen again, or the machine woke; the server asked to wait.',
                    target: 'backingOff',
                  },
                ],
                'session.refresh': [
                  {
                    description: 'The app asks for a new token: the next try.',
                    guard: 'mayRetryNow',
                    target: 'requesting',
                  },
                  {
                    description: 'The app asks for a new token; the server asked to wait.',
                    target: 'backingOff',
                  },
                ],
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
              after: {
                untilCooledDown: { description: 'One more try, after a while.', target: 'requesting' },
              },
              on: {
                'request.held': [
                  {
                    description: 'A request waits: new tries.',
                    guard: 'mayRetryNow',
                    target: 'requesting',
                    actions: [
                      'resetAttempts',
                      'recordHeld',
                      { type: 'relay', params: { as: 'requestHeld' } },
                    ],
                  },
                  {
                    description: 'A request waits; the server asked to wait.',
                    target: 'backingOff',
                    actions: [
                      'resetAttempts',
                      'recordHeld',
                      { type: 'relay', params: { as: 'requestHeld' } },
                    ],
                  },
                ],
                'session.refresh': [
                  {
                    description: 'The app asks for a new token: new tries.',
                    guard: 'mayRetryNow',
                    target: 'requesting',
                    actions: 'resetAttempts',
                  },
                  {
                    description: 'The app asks for a new token; the server asked to wait.',
                    target: 'backingOff',
                    actions: 'resetAttempts',
                  },
                ],
                'environment.online': [
                  {
                    description: 'The network is back: new tries.',
                    guard: 'mayRetryNow',
                    target: 'requesting',
                    actions: 'resetAttempts',
                  },
                  {
                    description: 'The network is back; the server asked to wait.',
                    target: 'backingOff',
                    actions: 'resetAttempts',
                  },
                ],
                'environment.woke': [
                  {
                    description: 'The page is seen again, or the machine woke: new tries.',
                    guard: 'mayRetryNow',
                    target: 'requesting',
                    actions: 'resetAttempts',
                  },
                  {
                    description: 'The page is seen again, or the machine woke; the server asked to wait.',
                    target: 'backingOff',
                    actions: 'resetAttempts',
                  },
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
                  { description: 'The old token died.', guard: 'tokenIsDead', target: 'closed' },
                  { description: 'The timer was early: wait on.', target: 'open', reenter: true },
                ],
              },
              on: {
                'session.check': {
                  description: 'The old token died, and no timer has said so yet.',
                  guard: 'tokenIsDead',
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
                  description: 'The session was not used for too long.',
                  guard: 'idleLimitReached',
                  target: '#auth.expired',
                  actions: [
                    { type: 'recordExpiry', params: { reason: 'idle' } },
                    { type: 'announce', params: { type: 'expired' } },
                  ],
                },
                {
                  description: 'The session has lived for too long.',
                  guard: 'lifetimeReached',
                  target: '#auth.expired',
                  actions: [
                    { type: 'recordExpiry', params: { reason: 'lifetime' } },
                    { type: 'announce', params: { type: 'expired' } },
                  ],
                },
              ],
              after: {
                untilSessionLimit: {
                  description: 'A limit is near: look whether the session was used elsewhere.',
                  target: 'watched',
                  reenter: true,
                  actions: 'lookForUse',
                },
              },
            },
          },
        },
      },
    },

    expired: {
      description: 'The session ended by itself; context.reason says why.',
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
        onDone: {
          description: 'The server was told.',
          target: 'loggedOut',
          actions: { type: 'announce', params: { type: 'signedOut' } },
        },
        onError: {
          description: 'The server could not be told.',
          target: 'loggedOut',
          actions: { type: 'announce', params: { type: 'signedOut' } },
        },
      },
      on: { 'session.signOut': { description: 'It is under way already.' } },
    },

    loggedOut: {
      description: 'The user left; requests go without a token.',
      tags: 'settled',
      meta: { requests: 'sent without a token' },
      entry: [{ type: 'enter', params: { to: 'loggedOut' } }, 'sendWithoutToken'],
      on: { 'session.signOut': { description: 'The user has left already.' } },
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
