import type ElkClass from 'elkjs'
import type { ElkExtendedEdge, ElkNode } from 'elkjs'
import Elk from 'elkjs/lib/elk.bundled.js'
import type { ChartLayout, LaidEdge, LaidState } from '../src/devtools/chart/chart-layout.ts'
import type { Diagram, DiagramBox, DiagramEdge } from './boxes.ts'
import { legendOf } from './legend.ts'
import {
  CODE_SIZE,
  codeWidth,
  LINE_HEIGHT,
  NAME_HEIGHT,
  NAME_SIZE,
  proseWidth,
  round,
  wrapCode,
  wrapProse,
} from './text.ts'

const PADDING = 10
const DOT = 12

export interface LayoutOptions {
  /** The maximum width of prose in a box, in pixels. Default: 150. */
  readonly prose?: number
  /** The maximum length of a line on an arrow, in characters. Default: 34. */
  readonly letters?: number
  /** Further options of the layout algorithm; see the reference of the Eclipse Layout Kernel. */
  readonly elk?: Readonly<Record<string, string>>
}

/** Gives everything in a diagram its place. The same diagram gets the same places every time. */
export async function layoutDiagram(
  diagram: Diagram,
  { prose = 150, letters = 34, elk = {} }: LayoutOptions = {},
): Promise<ChartLayout> {
  const boxes = new Map<string, DiagramBox & { rows: DiagramBox['rows'] }>()
  const starts: ElkExtendedEdge[] = []

  const node = (box: DiagramBox): ElkNode => {
    // A frame is as wide as what is in it, and any other box as wide as what it does.
    const widths = box.rows.map(({ text, code }) => (code ? codeWidth(text, CODE_SIZE) : 0))
    const inside = Math.min(box.children.length * 150, 480)
    const room = Math.max(inside || prose, codeWidth(box.name, NAME_SIZE), ...widths)
    const rows = box.rows.flatMap(({ text, code }) =>
      (code ? [text] : wrapProse(text, room)).map((line) => ({ text: line, code })),
    )
    boxes.set(box.id, { ...box, rows })
    const [width, height] = sizeOf({ ...box, rows })
    if (box.children.length === 0) return { id: box.id, width, height }
    return {
      id: box.id,
      children: withDot(box.id, box.children.map(node), box.initial),
      layoutOptions: {
        ...elk,
        'elk.padding': `[top=${height + 6},left=16,bottom=16,right=16]`,
        'elk.nodeSize.constraints': 'MINIMUM_SIZE',
        // The layout algorithm turns a drawing that grows down on its side, but not this size.
        'elk.nodeSize.minimum':
          diagram.direction === 'DOWN' ? `(${height},${width})` : `(${width},${height})`,
      },
    }
  }

  function withDot(container: string, nodes: ElkNode[], first: string | undefined): ElkNode[] {
    if (first === undefined) return nodes
    const id = `${container}.start`
    starts.push({ id: `${id} -> ${first}`, sources: [id], targets: [first] })
    return [{ id, width: DOT, height: DOT }, ...nodes]
  }

  const edge = (one: DiagramEdge): ElkExtendedEdge => {
    const lines = one.lines.flatMap((line) => wrapCode(line, letters))
    const width = Math.max(...lines.map((line) => codeWidth(line, CODE_SIZE))) + 8
    return {
      id: edgeId(one),
      sources: [one.from],
      targets: [one.to],
      labels:
        lines.length === 0
          ? []
          : [
              {
                text: lines.join('\n'),
                width,
                height: lines.length * 14 + 4,
                layoutOptions: { 'elk.edgeLabels.inline': 'true' },
              },
            ],
    }
  }

  const children = withDot('', diagram.boxes.map(node), diagram.initial)
  const options: Record<string, string> = {
    'elk.algorithm': 'layered',
    'elk.direction': diagram.direction,
    'elk.hierarchyHandling': 'INCLUDE_CHILDREN',
    'elk.edgeRouting': 'ORTHOGONAL',
    'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
    'elk.layered.nodePlacement.strategy': 'NETWORK_SIMPLEX',
    'elk.layered.thoroughness': '50',
    'elk.spacing.nodeNode': '24',
    'elk.spacing.edgeNode': '14',
    'elk.spacing.edgeEdge': '10',
    'elk.spacing.edgeLabel': '4',
    'elk.layered.spacing.nodeNodeBetweenLayers': '22',
    'elk.layered.spacing.edgeNodeBetweenLayers': '12',
    'elk.layered.spacing.edgeEdgeBetweenLayers': '10',
    'elk.padding': '[top=12,left=12,bottom=12,right=12]',
    'elk.json.edgeCoords': 'ROOT',
    'elk.json.shapeCoords': 'ROOT',
    ...elk,
  }
  const graph: ElkNode = await new (Elk as unknown as typeof ElkClass)().layout({
    id: 'root',
    layoutOptions: options,
    children,
    edges: [...starts, ...diagram.edges.map(edge)],
  })

  const places = new Map(flat(graph).map((one) => [one.id, one]))
  const routes = new Map(edgesOf(graph).map((one) => [one.id, one]))
  const states = [...boxes.values()].map(({ children: _, initial: __, ...box }): LaidState => {
    const { x = 0, y = 0, width = 0, height = 0 } = places.get(box.id) ?? {}
    return { ...box, x: round(x), y: round(y), width: round(width), height: round(height) }
  })
  const edges = diagram.edges.map((one): LaidEdge => {
    const route = routes.get(edgeId(one))
    const [label] = route?.labels ?? []
    return {
      id: edgeId(one),
      from: one.from,
      to: one.to,
      points: pointsOf(route),
      ...(label && {
        label: {
          x: round(label.x ?? 0),
          y: round(label.y ?? 0),
          width: round(label.width ?? 0),
          height: round(label.height ?? 0),
          lines: (label.text ?? '').split('\n'),
        },
      }),
      transitions: one.transitions,
      ...(one.description && { description: one.description }),
    }
  })
  const width = Math.ceil(graph.width ?? 0)
  const legend = legendOf(states, width, Math.ceil(graph.height ?? 0))
  return {
    title: diagram.title,
    width,
    height: (legend.at(-1)?.y ?? 0) + 26,
    // Frames first, so that their children are drawn above them.
    states: [...states].sort((one, other) => depth(one.id) - depth(other.id)),
    edges,
    starts: starts.map(({ id, targets: [state = ''] }) => ({ state, points: pointsOf(routes.get(id)) })),
    legend,
  }
}

function depth(id: string): number {
  return id.split(' ', 1)[0]?.split('.').length ?? 0
}

function edgeId({ from, to }: DiagramEdge): string {
  return from.includes('->') ? from : `${from} -> ${to}`
}

function sizeOf({ name, rows, kind }: DiagramBox): [width: number, height: number] {
  if (kind === 'any') return [Math.ceil(proseWidth(name)) + 20, 22]
  const widths = rows.map(({ text, code }) => (code ? codeWidth(text, CODE_SIZE) : proseWidth(text)))
  // Leaves room for the mark in the corner of a composite.
  const head = codeWidth(name, NAME_SIZE) + (kind === 'composite' ? 50 : 0)
  const width = Math.max(head, ...widths) + 2 * PADDING
  return [Math.ceil(width), NAME_HEIGHT + rows.length * LINE_HEIGHT + 2 * PADDING - 4]
}

function flat(node: ElkNode): ElkNode[] {
  return (node.children ?? []).flatMap((child) => [child, ...flat(child)])
}

function edgesOf(node: ElkNode): ElkExtendedEdge[] {
  return [...(node.edges ?? []), ...(node.children ?? []).flatMap(edgesOf)]
}

function pointsOf(edge: ElkExtendedEdge | undefined): [number, number][] {
  const points: [number, number][] = []
  for (const { startPoint, bendPoints = [], endPoint } of edge?.sections ?? []) {
    for (const point of [startPoint, ...bendPoints, endPoint]) {
      const [x, y] = [round(point.x), round(point.y)]
      const [beforeX, beforeY] = points.at(-1) ?? [x, y]
      // Rounding and nested frames move the ends of a straight line apart by less than a pixel: align them.
      points.push([Math.abs(x - beforeX) < 1 ? beforeX : x, Math.abs(y - beforeY) < 1 ? beforeY : y])
    }
  }
  return points
}
