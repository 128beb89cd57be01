/** The server's time of day, which goes on with that of a device that sleeps. */
export function createServerClock() {
  let ahead = 0
  return {
    now: () => Date.now() + ahead,
    /** How far it is ahead of this machine's, in milliseconds. */
    get ahead() {
      return ahead
    },
    advance(ms: number) {
      ahead += ms
    },
  }
}

export type ServerClock = ReturnType<typeof createServerClock>
