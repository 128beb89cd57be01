/** Formats a remaining time in milliseconds: `12.3 s`, `4 min 5 s`. */
export function timeToGo(milliseconds: number): string {
  if (milliseconds <= 0) return 'now'
  if (milliseconds < 60_000) return `${(milliseconds / 1000).toFixed(1)} s`
  const seconds = Math.ceil(milliseconds / 1000)
  const [minutes, hours] = [Math.floor(seconds / 60), Math.floor(seconds / 3600)]
  if (hours > 0) return `${hours} h ${minutes % 60} min`
  return `${minutes} min ${seconds % 60} s`
}

/** Formats a duration in milliseconds: `85 ms`, `1.25 s`. */
export function duration(milliseconds: number): string {
  return milliseconds < 1000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(2)} s`
}

/** Formats a duration that is still growing, in milliseconds. It is coarse, because it is written in every frame. */
export const running = (milliseconds: number) => `${(milliseconds / 1000).toFixed(1)} s`

/** Formats the local time of day, to the millisecond. */
export function clockTime(at: number): string {
  const time = new Date(at)
  const two = (part: number) => String(part).padStart(2, '0')
  const day = [time.getHours(), time.getMinutes(), time.getSeconds()].map(two).join(':')
  return `${day}.${String(time.getMilliseconds()).padStart(3, '0')}`
}

/**
 * Formats the active states in one line: `refreshing: attempt.requesting, gate.open`.
 */
export function stateWords(active: readonly string[]): string {
  const [top = 'unknown'] = active
  const leaves = active.filter(
    (path) => path !== top && !active.some((other) => other.startsWith(`${path}.`)),
  )
  const inner = leaves.map((path) => path.slice(top.length + 1))
  return inner.length > 0 ? `${top}: ${inner.join(', ')}` : top
}
