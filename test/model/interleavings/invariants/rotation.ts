import type { Surroundings } from '../surroundings.ts'

/** A page that is reloaded when it announces a session finds that session in its store. */
export function* announcedIsStored({ facts }: Surroundings) {
  yield* facts.premature
}

/** A timer that fires late does not decide about an answer that has arrived meanwhile. */
export function* lateTimersDecideNothing({ facts }: Surroundings) {
  yield* facts.abandoned
}
