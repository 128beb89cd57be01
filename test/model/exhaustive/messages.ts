/** The messages between tabs (`CoordinatorMessage`): the store has changed. */
export const CHANGED = 1
/** The session with this number has ended. */
export const sessionEnded = (session: number) => 1 + session
