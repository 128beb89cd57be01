import { type Page, runs } from './clock.ts'

/** Something under way between the library and the world: an answer, a lock, a message. */
interface Edge {
  readonly label: string
  /** Whom it reaches; nobody's page where it is the server. */
  readonly to: Page | undefined
  deliver(): void
  /** What happens where it is lost; nothing that can be lost where there is none. */
  readonly lose: (() => void) | undefined
}

/** How many deliveries one flush may make: more is a loop without end. */
const MOST = 400

/**
 * Everything that is under way, for the commands to choose from. It does the work of fast-check's scheduler, but the choice
 * is a number in a command: it shrinks to 0, the first that set out, so that a counterexample shows what must be out of
 * order, and nothing else is.
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

    /** The way of a value to a page; it is made when it arrives. `lost` makes what arrives instead. */
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

    /** Delivers one of those under way; gives its name. */
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
    /** Delivers all, in the order they set out, and what they set going. */
    async flush(between: () => Promise<void>) {
      await between()
      for (let left = MOST; this.deliver(0) !== undefined; left--) {
        if (left === 0) throw new Error(`deliveries without end, such as ${[...edges][0]?.label}`)
        await between()
      }
    },
    /** What would reach a page that is closed never will. */
    forget(page: Page) {
      for (const edge of edges) if (edge.to === page) edges.delete(edge)
    },
    labels: () => [...edges].map(({ label }) => label),
  }
}

export type Edges = ReturnType<typeof createEdges>
