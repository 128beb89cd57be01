/** The snapshot that every binding reads from an auth, and the subscription to its changes, for any framework. */
import type { Reason } from '../../machines/index.ts'
import type { Auth, AuthState } from '../core/auth.ts'

/** Any auth, whatever its credentials and claims. */
export type AnyAuth = Auth<never, unknown, unknown>

/** The session of an auth, with its claims. */
export type SessionOf<A extends AnyAuth> = NonNullable<A['session']>

/**
 * Which view belongs on the screen. A refresh or a pending sign-in does not change it. `expired` lasts until the user signs
 * in again or signs out.
 */
export type AuthView =
  /** The stored session has not been read yet; always on a server without an initial session. */
  | 'restoring'
  /** There is a session, including during a refresh. */
  | 'signedIn'
  /** The session ended without a sign-out. */
  | 'expired'
  /** No user is signed in, including during a sign-in. */
  | 'signedOut'

/** What a view can show of a session at one moment. It is the same object until one of its fields changes. */
export interface AuthSnapshot<S = NonNullable<Auth['session']>> {
  /** The state of the chart, which also changes during a refresh. */
  readonly state: AuthState
  /** Which view belongs on the screen. It stays the same during a refresh and a pending sign-in. */
  readonly view: AuthView
  /** The public session, while there is one, including during a refresh. */
  readonly session: S | undefined
  /** The session, or the one that expired last, until the user signs in again or signs out. For a page under a dialog. */
  readonly lastSession: S | undefined
  /** Why the session ended; `undefined` while there is a session. */
  readonly reason: Reason | undefined
  /** How many requests are held. */
  readonly held: number
}

/** The snapshot while nothing is known yet: on a server, and during hydration. */
export const RESTORING: AuthSnapshot<never> = Object.freeze({
  state: 'restoring',
  view: 'restoring',
  session: undefined,
  lastSession: undefined,
  reason: undefined,
  held: 0,
})

/**
 * What a server knows of the user whose page it renders, from a cookie of its own: the facts of a session, without its
 * tokens; `null` if no user is signed in. It becomes part of the page.
 */
export type InitialSession<A extends AnyAuth = Auth> = Pick<
  SessionOf<A>,
  'subject' | 'user' | 'claims' | 'scope'
> | null

/** The part of an auth that a binding needs. */
export interface AuthStore<S> {
  /** What a server renders, and what a browser shows until it has hydrated the page. */
  readonly initial: AuthSnapshot<S>
  /** Returns what a view can show now: the same object until one of its fields changes. */
  read(): AuthSnapshot<S>
  /** Calls back when something may have changed. Returns a function that unsubscribes. */
  subscribe(listener: () => void): () => void
}

/** What a provider gives to the views below it. */
export interface Provided {
  readonly auth: AnyAuth
  /** Whether a session that has expired counts as signed in. It may change in Solid. */
  readonly keepExpired: boolean
  readonly store: AuthStore<unknown>
}

const stores = new WeakMap<AnyAuth, AuthStore<unknown>>()

/** Returns the store of an auth. It is always the same object, because frameworks compare its functions. */
export function storeOf<A extends AnyAuth>(auth: A): AuthStore<SessionOf<A>> {
  const store = stores.get(auth) ?? createStore(auth)
  stores.set(auth, store)
  return store as AuthStore<SessionOf<A>>
}

function createStore(auth: AnyAuth): AuthStore<unknown> {
  let last: AuthSnapshot<unknown> = RESTORING
  /** The last session that was read. */
  let known: SessionOf<AnyAuth> | undefined
  return {
    initial: RESTORING,
    read() {
      const { state, session } = auth
      const { status, reason, held, epoch } = auth.actor.getSnapshot().context
      // Another session may have begun and ended since.
      known = session ?? (known?.epoch === epoch ? known : undefined)
      // The session object changes slightly before the chart does, so it takes precedence.
      const view = session
        ? 'signedIn'
        : status === 'expired'
          ? 'expired'
          : state === 'restoring'
            ? 'restoring'
            : 'signedOut'
      const lastSession = session ?? (view === 'expired' ? known : undefined)
      const isUnchanged =
        last.state === state &&
        last.view === view &&
        last.session === session &&
        last.lastSession === lastSession &&
        last.reason === reason &&
        last.held === held
      if (!isUnchanged) last = Object.freeze({ state, view, session, lastSession, reason, held })
      return last
    },
    subscribe(listener) {
      const subscription = auth.actor.subscribe(listener)
      return () => subscription.unsubscribe()
    },
  }
}

/**
 * The store below a provider that was given an initial session: it shows that session on the server, during hydration, and
 * until the auth has restored its own. A session in a worker is restored again if its worker ends, maybe for another user.
 */
export function withInitial<S>(
  store: AuthStore<S>,
  given: InitialSession<AnyAuth> | undefined,
): AuthStore<S> {
  if (given === undefined) return store
  const session = given
    ? Object.freeze({ expiresAt: undefined, generation: 0, epoch: 0, ...given })
    : undefined
  const initial = Object.freeze({
    state: session ? 'authenticated' : 'anonymous',
    view: session ? 'signedIn' : 'signedOut',
    session,
    lastSession: session,
    reason: undefined,
    held: 0,
  }) as AuthSnapshot<S>
  let isRestored = false
  return {
    initial,
    read() {
      const now = store.read()
      isRestored ||= now.view !== 'restoring'
      return isRestored ? now : initial
    },
    subscribe: store.subscribe,
  }
}
