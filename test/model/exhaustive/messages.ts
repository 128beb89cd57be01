/** What tabs tell each other (`CoordinatorMessage`). */
export const CHANGED = 1
/** The end of a session. */
export const ended = (session: number) => 1 + session
