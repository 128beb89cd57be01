import { type Readable, readable } from 'svelte/store'
import type { AuthState } from '../../core/auth.ts'
import { type Part, type Select, session, state, whole } from '../part.ts'
import type { AnyAuth, AuthSnapshot, SessionOf } from '../snapshot.ts'
import type { IsEqual } from './reactive.ts'
import { browserStore, createSelector } from './selection.ts'

function createStore(auth: AnyAuth, part: Part, how: readonly unknown[]): Readable<never> {
  const store = browserStore(auth)
  const [select, isEqual] = how as [Select?, IsEqual?]
  return readable(undefined as never, (set) => {
    const { look, hasChanged } = createSelector(store, part, select, isEqual)
    const tell = () => set(look() as never)
    tell()
    return store.subscribe(() => {
      if (hasChanged()) tell()
    })
  })
}

/**
 * The session, or what is selected from it, as a store: for places that are no components, and for `$name` in them. In a
 * page that a server renders, `useSession` is the one that begins as the server did.
 *
 * @param auth made by `createAuth`
 * @param select takes the session, or `undefined` where there is none
 * @param isEqual whether a selection is what it was. Default: `Object.is`
 * @returns a store that listens to the session while somebody listens to it, and tells of changes of the selection only
 *
 * @example
 * ```ts
 * export const user = sessionStore(auth, (session) => session?.subject)
 * ```
 */
export function sessionStore<A extends AnyAuth>(auth: A): Readable<SessionOf<A> | undefined>
export function sessionStore<A extends AnyAuth, T>(
  auth: A,
  select: (session: SessionOf<A> | undefined) => T,
  isEqual?: IsEqual<T>,
): Readable<T>
export function sessionStore(auth: AnyAuth, ...how: readonly unknown[]): Readable<never> {
  return createStore(auth, session, how)
}

/**
 * The chart's state, or what is selected from an `AuthSnapshot`, as a store. Otherwise as `sessionStore`.
 *
 * @param auth made by `createAuth`
 * @param select takes `{ state, view, session, reason, held }`
 * @param isEqual whether a selection is what it was. Default: `Object.is`
 *
 * @example
 * ```ts
 * export const held = authStateStore(auth, ({ held }) => held)
 * ```
 */
export function authStateStore<A extends AnyAuth>(auth: A): Readable<AuthState>
export function authStateStore<A extends AnyAuth, T>(
  auth: A,
  select: (snapshot: AuthSnapshot<SessionOf<A>>) => T,
  isEqual?: IsEqual<T>,
): Readable<T>
export function authStateStore(auth: AnyAuth, ...how: readonly unknown[]): Readable<never> {
  return createStore(auth, how[0] ? whole : state, how)
}
