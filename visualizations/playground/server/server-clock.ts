/** The clock of the server. It advances when the simulated device sleeps. */
export function createServerClock() {
  let ahead = 0
  return {
    now: () => Date.now() + ahead,
    /** How far it is ahead of the system clock, in milliseconds. */
    get ahead() {
      return ahead
    },
    advance(ms: number) {
      ahead += ms
    },
  }
}

export type ServerClock = ReturnType<typeof createServerClock>
