import type { AnyStateNode } from 'xstate'
import {
  anyBox,
  type Diagram,
  type DiagramBox,
  type DiagramEdge,
  initialOf,
  meaningOf,
  stateBox,
} from './boxes.ts'
import { edgeLines, reactionLine } from './names.ts'
import { children, nodePath } from './tree.ts'
import type { End, View } from './views.ts'

export interface DiagramOptions {
  readonly title: string
  readonly direction?: Diagram['direction']
  /** Whether boxes list the effects of their states: entry actions, actors, reactions. */
  readonly effects?: boolean
}

/** Turns a view into a diagram: the states of the focus, in a frame unless the focus is the whole chart. */
export function diagramOf(
  view: View,
  { title, direction = 'DOWN', effects = true }: DiagramOptions,
): Diagram {
  const { focus, ends, arrows, reactions, guards } = view
  const reactionsOf = (node: AnyStateNode) =>
    reactions.filter(({ at }) => at.node === node).map(({ transition }) => reactionLine(transition))
  const own = children(focus).map((node) => stateBox(node, effects ? reactionsOf(node) : undefined))
  const framed = focus.parent !== undefined
  const outside = (end: End) => !end.any && end.node.parent !== focus
  const elsewhere = ends.filter(outside).map(
    ({ node, name }): DiagramBox => ({
      ...stateBox(node, undefined),
      kind: 'elsewhere',
      name,
      rows: [],
    }),
  )
  const pills: DiagramBox[] = []
  const idOf = (end: End, to: End) => {
    if (!end.any) return nodePath(end.node)
    // A transition of the focus to an outside state starts at the frame.
    if (framed && end.node === focus && outside(to)) return nodePath(focus)
    const pill = anyBox(end.node, nodePath(to.node))
    pills.push(pill)
    return pill.id
  }
  const edges = arrows.map(
    ({ from, to, transitions }): DiagramEdge => ({
      from: idOf(from, to),
      to: nodePath(to.node),
      lines: edgeLines(transitions, guards),
      ...meaningOf(transitions),
    }),
  )
  const inside = pills.filter(({ id }) => framed && id.startsWith(`${nodePath(focus)}*`))
  const boxes = framed
    ? [
        {
          ...stateBox(focus, effects ? reactionsOf(focus) : undefined),
          name: nodePath(focus),
          kind: 'frame' as const,
          children: [...own, ...inside],
          initial: initialOf(focus),
        },
        ...elsewhere,
        ...pills.filter((pill) => !inside.includes(pill)),
      ]
    : [...own, ...pills]
  return { title, direction, boxes, edges, initial: framed ? undefined : initialOf(focus) }
}

/** Reduces a diagram to names and lines. */
export function bare({ boxes, edges, ...diagram }: Diagram): Diagram {
  const bareBox = (box: DiagramBox): DiagramBox => ({ ...box, rows: [], children: box.children.map(bareBox) })
  return { ...diagram, boxes: boxes.map(bareBox), edges: edges.map((edge) => ({ ...edge, lines: [] })) }
}
