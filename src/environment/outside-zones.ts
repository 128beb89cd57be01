interface Zones {
  readonly Zone?: { readonly root?: { run<T>(start: () => T): T } }
}

/**
 * Starts a timer outside the zones of Zone.js. Angular counts the timers of its own zone as work in progress: with one of a
 * session in it, an app would never be stable, and its service worker and hydration would wait for ever.
 */
export function outsideZones<T>(start: () => T): T {
  const { Zone } = globalThis as Zones
  return Zone?.root ? Zone.root.run(start) : start()
}
