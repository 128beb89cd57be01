/** How often a countdown is drawn, in milliseconds. */
const TICK = 100

/** Draws at most once per animation frame, and only on request. */
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
    /** Draws after `TICK` milliseconds, unless a frame is requested before. */
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
