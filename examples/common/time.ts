/** How long before the session expires for inactivity the page shows a warning, in milliseconds. */
export const IDLE_WARNING = 30_000

/** Calls the listener with the time, four times a second. Returns a function that stops it. */
export function onTick(listener: (now: number) => void): () => void {
  const timer = setInterval(() => listener(Date.now()), 250)
  return () => clearInterval(timer)
}
