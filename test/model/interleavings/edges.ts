import { type Page, runs } from './clock.ts'

/** Something in flight between the library and the world: an answer, a lock or a message. */
interface Edge {
  readonly label: string
  /** The page that it reaches, or `undefined` for the server. */
  readonly to: Page | undefined
  deliver(): void
  /** What happens if it is lost. Without this, it cannot be lost. */
  readonly lose: (() => void) | undefined
}

/** The limit of deliveries in one flush: more of them are an endless loop. */
const MAX_DELIVERIES = 400

/**
 * Everything in flight, from which the commands choose. This does the work of the scheduler of fast-check, but the choice
 * is a number in a command. It shrinks to 0, which is the oldest edge. So a counterexample only has those deliveries out
 * of order that must be.
 */
export function createEdges() {
  const edges = new Set<Edge>()
  const deliverable = (lossy: boolean) =>
    [...edges].filter((edge) => runs(edge.to) && (!lossy || edge.lose !== undefined))

  function take(pick: number, lossy: boolean): Edge | undefined {
    const choices = deliverable(lossy)
    const edge = choices[pick % choices.length]
    if (edge) edges.delete(edge)
    return edge
  }

  return {
    add: (edge: Edge) => void edges.add(edge),

    /** Sends a value to a page. `arrive` makes the value on arrival; `lost` makes the one that arrives if it is lost. */
    travel: <T>(label: string, to: Page | undefined, arrive: () => T, lost?: () => T): Promise<T> =>
      new Promise((resolve, reject) => {
        const end = (make: () => T) => () => {
          try {
            resolve(make())
          } catch (error) {
            reject(error)
          }
        }
        edges.add({ label, to, deliver: end(arrive), lose: lost && end(lost) })
      }),

    /** Delivers one edge and returns its label. */
    deliver(pick: number): string | undefined {
      const edge = take(pick, false)
      edge?.deliver()
      return edge?.label
    },
    lose(pick: number): string | undefined {
      const edge = take(pick, true)
      edge?.lose?.()
      return edge?.label
    },
    /** What has arrived at a page that is frozen. Returns the delivery of each. */
    arrivedAt: (page: Page) =>
      [...edges]
        .filter((edge) => edge.to === page)
        .map((edge) => ({ label: edge.label, deliver: () => edges.delete(edge) && edge.deliver() })),
    /** Delivers all edges in order, including those that are added meanwhile. */
    async flush(between: () => Promise<void>) {
      await between()
      for (let left = MAX_DELIVERIES; this.deliver(0) !== undefined; left--) {
        if (left === 0) throw new Error(`endless deliveries, such as ${[...edges][0]?.label}`)
        await between()
      }
    },
    /** Drops every edge to a page that is closed. */
    forget(page: Page) {
      for (const edge of edges) if (edge.to === page) edges.delete(edge)
    },
    labels: () => [...edges].map(({ label }) => label),
  }
}

export type Edges = ReturnType<typeof createEdges>
