import { type Readable, readable } from 'svelte/store'
import type { AuthState } from '../../core/auth.ts'
import { type Select, type SnapshotSelector, session, state, whole } from '../selectors.ts'
import type { AnyAuth, AuthSnapshot, SessionOf } from '../snapshot.ts'
import type { IsEqual } from './reactive.ts'
import { browserStore, createSelector } from './selection.ts'

function createStore(auth: AnyAuth, part: SnapshotSelector, args: readonly unknown[]): Readable<never> {
  const store = browserStore(auth)
  const [select, isEqual] = args as [Select?, IsEqual?]
  return readable(undefined as never, (set) => {
    const { read, watch } = createSelector(store, part, select, isEqual)
    const update = () => set(read() as never)
    update()
    return watch(update)
  })
}

/**
 * Creates a store of the session, or of a value selected from it. Use it outside of components, or as `$name` in them. On a
 * page that a server renders, use `useSession`: it starts with the value that the server rendered.
 *
 * @param auth created by `createAuth`
 * @returns a store that listens to the session only while it has subscribers, and notifies them only when the selection
 * changes
 *
 * @example
 * ```ts
 * export const user = sessionStore(auth, (session) => session?.subject)
 * ```
 */
export function sessionStore<A extends AnyAuth>(auth: A): Readable<SessionOf<A> | undefined>
/**
 * Like `sessionStore(auth)`, for a value that `select` returns.
 *
 * @param auth created by `createAuth`
 * @param select receives the session, or `undefined` without a session
 * @param isEqual whether two selections are equal. Default: `Object.is`
 */
export function sessionStore<A extends AnyAuth, T>(
  auth: A,
  select: (session: SessionOf<A> | undefined) => T,
  isEqual?: IsEqual<T>,
): Readable<T>
export function sessionStore(auth: AnyAuth, ...args: readonly unknown[]): Readable<never> {
  return createStore(auth, session, args)
}

/**
 * Creates a store of the chart's state, or of a value selected from an `AuthSnapshot`. Otherwise like `sessionStore`.
 *
 * @param auth created by `createAuth`
 *
 * @example
 * ```ts
 * export const held = authStateStore(auth, ({ held }) => held)
 * ```
 */
export function authStateStore<A extends AnyAuth>(auth: A): Readable<AuthState>
/**
 * Like `authStateStore(auth)`, for a value that `select` returns.
 *
 * @param auth created by `createAuth`
 * @param select receives `{ state, view, session, lastSession, reason, held }`
 * @param isEqual whether two selections are equal. Default: `Object.is`
 */
export function authStateStore<A extends AnyAuth, T>(
  auth: A,
  select: (snapshot: AuthSnapshot<SessionOf<A>>) => T,
  isEqual?: IsEqual<T>,
): Readable<T>
export function authStateStore(auth: AnyAuth, ...args: readonly unknown[]): Readable<never> {
  return createStore(auth, args[0] ? whole : state, args)
}
