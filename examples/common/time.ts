/** From when on the page warns that the session will end because nobody uses it, in milliseconds before. */
export const IDLE_WARNING = 30_000

/** Calls back with the time, four times a second. Returns the way to stop. */
export function onTick(listener: (now: number) => void): () => void {
  const timer = setInterval(() => listener(Date.now()), 250)
  return () => clearInterval(timer)
}
