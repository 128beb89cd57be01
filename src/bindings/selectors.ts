/** Selectors that the hooks of every binding apply to the snapshot before the selector of the caller. */
import type { AuthSnapshot } from './snapshot.ts'

/** The caller's selector. It receives the result of a `SnapshotSelector`. */
export type Select = (from: unknown) => unknown
/** Selects a part of the snapshot. */
export type SnapshotSelector = (snapshot: AuthSnapshot) => unknown

export const whole: SnapshotSelector = (snapshot) => snapshot
export const view: SnapshotSelector = (snapshot) => snapshot.view
export const state: SnapshotSelector = (snapshot) => snapshot.state
export const session: SnapshotSelector = (snapshot) => snapshot.session
export const lastSession: SnapshotSelector = (snapshot) => snapshot.lastSession
/** What `useSession` selects from: with `keepExpired`, an expired session counts as one. */
export const sessionPart = (keepExpired: boolean): SnapshotSelector => (keepExpired ? lastSession : session)
