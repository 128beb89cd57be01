/** What changes, in the words of Svelte 5, and what is said of it. */
import type { AuthView } from '../snapshot.ts'

/** Whether a selection is what it was. Default: `Object.is`. */
export type IsEqual<T = unknown> = (before: T, after: T) => boolean

/** A value that changes: what reads `current` in a template, `$derived` or `$effect` runs again when it does. */
export interface Reactive<T> {
  readonly current: T
}

export interface SetAuthOptions {
  /**
   * Whether a session that ended by itself still counts as signed in, for a dialog over the page that asks to sign in again.
   * Default: `false`.
   */
  readonly keepExpired?: boolean
}

/** What belongs on the screen, for `{#if}`. It does not flicker while a token is renewed. */
export interface ReactiveView extends Reactive<AuthView> {
  /** While there is a session: also during a refresh. */
  readonly signedIn: boolean
  /** While nobody is signed in: also while a sign-in is tried. */
  readonly signedOut: boolean
  /** From the end of a session until the user signed in again, or left. */
  readonly expired: boolean
  /** Until the stored session was read: on servers, always. */
  readonly restoring: boolean
}
