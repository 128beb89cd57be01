/** A drawing of a chart as numbers: which box is where, and which way each arrow goes. All lengths are pixels. */

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** What becomes of a request that arrives in a state: drawings tell it by colour. `plain`: it has no say. */
export type Tone = 'sent' | 'held' | 'unsigned' | 'rejected' | 'gated' | 'plain'

export interface LaidState extends Box {
  /** The path of the state: `refreshing.gate.open`. That of "any state" begins with the path it stands for. */
  readonly id: string
  readonly name: string
  /**
   * `state`: a plain one; `composite`: one with states in it, that are not shown; `frame`: one with states in it, that are
   * shown; `region`: one of several frames that are active together; `elsewhere`: a state that another drawing shows from
   * the inside; `any`: any state of the chart.
   */
  readonly kind: 'state' | 'composite' | 'frame' | 'region' | 'elsewhere' | 'any'
  readonly tone: Tone
  readonly description?: string
  /** What is written below the name: prose, and what the state does. */
  readonly rows: readonly { readonly text: string; readonly code: boolean }[]
}

/** One transition of the chart that an arrow stands for. */
export interface LaidTransition {
  /** Paths; the empty one is the whole chart, where the transition is taken in any state. */
  readonly source: string
  readonly target: string
  /** The event as XState names it: `session.refresh`, `xstate.done.actor.…`; empty for one that needs no event. */
  readonly event: string
  readonly guard?: string
}

export interface LaidEdge {
  /** `from -> to`, by their paths. */
  readonly id: string
  readonly from: string
  readonly to: string
  /** The corners of the line, from its beginning to its tip. */
  readonly points: readonly (readonly [x: number, y: number])[]
  readonly label?: Box & { readonly lines: readonly string[] }
  /** What the transitions mean, a line for each. */
  readonly description?: string
  readonly transitions: readonly LaidTransition[]
}

export interface ChartLayout {
  readonly title: string
  readonly width: number
  readonly height: number
  /** Outer ones before those within them. */
  readonly states: readonly LaidState[]
  readonly edges: readonly LaidEdge[]
  /** Where states begin: the middle of a dot, and the line from it. */
  readonly starts: readonly { readonly state: string; readonly points: LaidEdge['points'] }[]
  /** What the colours mean. */
  readonly legend: readonly {
    readonly tone: Tone | 'composite'
    readonly text: string
    readonly x: number
    readonly y: number
  }[]
}
