/** What the hooks of every binding begin with: a part of what the auth is, from which more may be selected. */
import type { AuthSnapshot } from './snapshot.ts'

/** Takes what is needed from a part of what the auth is. */
export type Select = (from: unknown) => unknown
export type Part = (snapshot: AuthSnapshot) => unknown

export const whole: Part = (snapshot) => snapshot
export const view: Part = (snapshot) => snapshot.view
export const state: Part = (snapshot) => snapshot.state
export const session: Part = (snapshot) => snapshot.session
