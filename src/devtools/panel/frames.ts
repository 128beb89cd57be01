/** How often a countdown moves, in milliseconds. */
const TICK = 100

/** Draws at most once for each frame of the screen, and only where something has changed. */
export function createFrames(draw: () => void) {
  let frame: number | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false

  function request() {
    if (stopped) return
    frame ??= requestAnimationFrame(() => {
      frame = undefined
      clearTimeout(timer)
      timer = undefined
      draw()
    })
  }

  return {
    request,
    /** Draws again in a while, unless it is asked for before. */
    requestSoon() {
      if (!stopped) timer ??= setTimeout(request, TICK)
    },
    stop() {
      stopped = true
      if (frame !== undefined) cancelAnimationFrame(frame)
      clearTimeout(timer)
    },
  }
}
