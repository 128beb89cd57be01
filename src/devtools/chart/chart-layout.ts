/** The layout of a drawn chart: the positions of boxes, arrows and labels. All lengths are in pixels. */
import type { RequestMode } from '../../core/requests/request-mode.ts'

export interface Box {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/**
 * What happens to a request in a state; drawings show it as a colour. `gated`: a child of another region decides. `plain`:
 * the chart does not say.
 */
export type Tone = RequestMode | 'gated' | 'plain'

export interface LaidState extends Box {
  /** The path of the state: `refreshing.gate.open`. The id of an "any state" box begins with the path of its state. */
  readonly id: string
  readonly name: string
  /**
   * `state`: a state without children; `composite`: a state whose children are not shown; `frame`: a state whose children are
   * shown; `region`: a frame that is active together with other regions; `elsewhere`: a state outside this drawing's focus;
   * `any`: any state of the chart.
   */
  readonly kind: 'state' | 'composite' | 'frame' | 'region' | 'elsewhere' | 'any'
  readonly tone: Tone
  readonly description?: string
  /** The lines below the name: a description, and the actions, actors and reactions of the state. */
  readonly rows: readonly { readonly text: string; readonly code: boolean }[]
}

/** One transition of the chart that an arrow represents. */
export interface LaidTransition {
  /** Paths of states. An empty source is the root: the transition can be taken in any state. */
  readonly source: string
  readonly target: string
  /** XState's name of the event: `session.refresh`, `xstate.done.actor.…`; empty for an eventless transition. */
  readonly event: string
  readonly guard?: string
}

export interface LaidEdge {
  /** `from -> to`, with paths of states. */
  readonly id: string
  readonly from: string
  readonly to: string
  /** The points of the line, from its start to its tip. */
  readonly points: readonly (readonly [x: number, y: number])[]
  readonly label?: Box & { readonly lines: readonly string[] }
  /** The descriptions of the transitions, one per line. */
  readonly description?: string
  readonly transitions: readonly LaidTransition[]
}

export interface ChartLayout {
  readonly title: string
  readonly width: number
  readonly height: number
  /** Outer states come before inner ones. */
  readonly states: readonly LaidState[]
  readonly edges: readonly LaidEdge[]
  /** Initial states: the first point is the centre of the dot, the others form the arrow. */
  readonly starts: readonly { readonly state: string; readonly points: LaidEdge['points'] }[]
  /** The meanings of the colours. */
  readonly legend: readonly {
    readonly tone: Tone | 'composite'
    readonly text: string
    readonly x: number
    readonly y: number
  }[]
}
