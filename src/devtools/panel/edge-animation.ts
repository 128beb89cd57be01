/** How long a transition stays lit, in milliseconds. */
export const LIT_FOR = 900
/** How long the spark along a transition takes, in milliseconds. */
const SPARK_FOR = 500

/** Lights up the arrows of a drawing. */
export interface EdgeAnimation {
  /** Lights arrows for `LIT_FOR` milliseconds, and sends a spark along each. */
  run(ids: readonly string[]): void
  /** Lights these arrows and no others, until the next call. */
  hold(ids: readonly string[]): void
  stop(): void
}

export function createEdgeAnimation(drawing: SVGElement): EdgeAnimation {
  const parts = new Map<string, SVGElement[]>()
  for (const part of drawing.querySelectorAll<SVGElement>('[data-transition]')) {
    const id = part.dataset.transition ?? ''
    parts.set(id, [...(parts.get(id) ?? []), part])
  }
  const sparks = new Set<Animation>()
  const timers = new Map<string, ReturnType<typeof setTimeout>>()

  function light(id: string, on: boolean) {
    for (const part of parts.get(id) ?? []) part.toggleAttribute('data-active', on)
  }

  function spark(id: string) {
    const [edge] = parts.get(id) ?? []
    const path = edge?.querySelector('.line')?.getAttribute('d')
    if (!edge || !path || matchMedia('(prefers-reduced-motion: reduce)').matches) return
    const dot = document.createElementNS('http://www.w3.org/2000/svg', 'circle')
    dot.setAttribute('class', 'spark')
    dot.setAttribute('r', '6')
    dot.style.offsetPath = `path("${path}")`
    edge.append(dot)
    const run = dot.animate([{ offsetDistance: '0%' }, { offsetDistance: '100%' }], {
      duration: SPARK_FOR,
      easing: 'ease-in-out',
    })
    sparks.add(run)
    run.onfinish = run.oncancel = () => {
      sparks.delete(run)
      dot.remove()
    }
  }

  function stop() {
    for (const timer of timers.values()) clearTimeout(timer)
    timers.clear()
    for (const run of sparks) run.cancel()
    for (const id of parts.keys()) light(id, false)
  }

  return {
    stop,
    run(ids) {
      for (const id of ids) {
        clearTimeout(timers.get(id))
        light(id, true)
        spark(id)
        timers.set(
          id,
          setTimeout(() => {
            timers.delete(id)
            light(id, false)
          }, LIT_FOR),
        )
      }
    },
    hold(ids) {
      stop()
      for (const id of ids) light(id, true)
    },
  }
}
