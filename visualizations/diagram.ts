import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import type { LaidState, LaidTransition, Tone } from '../src/devtools/chart-layout.ts'
import { actionNames, actorNames, anyName, conditionOf, edgeLines, reactionLine } from './names.ts'
import { children, isComposite, isWithin, targetsOf, transitionsOf } from './tree.ts'
import type { End, View } from './views.ts'

/** What is drawn, before anything has a place. */
export interface Diagram {
  readonly title: string
  readonly direction: 'DOWN' | 'RIGHT'
  readonly boxes: readonly DiagramBox[]
  readonly edges: readonly DiagramEdge[]
  /** The id of the box that all of it begins with. */
  readonly initial?: string | undefined
}

export interface DiagramBox extends Omit<LaidState, 'x' | 'y' | 'width' | 'height'> {
  readonly children: readonly DiagramBox[]
  /** The id of the state it begins with. */
  readonly initial?: string | undefined
}

export interface DiagramEdge {
  /** Ids of boxes. */
  readonly from: string
  readonly to: string
  readonly lines: readonly string[]
  readonly transitions: readonly LaidTransition[]
  readonly description?: string
}

export interface DiagramOptions {
  readonly title: string
  readonly direction?: Diagram['direction']
  /** Whether boxes tell what the states in them do: entry actions, actors, reactions. */
  readonly effects?: boolean
}

/** Every entry of a state tells that it was entered, for the log: no picture is clearer for it. */
const NOT_WORTH_TELLING = new Set(['enter'])

/** A part of a chart as a diagram: the states of the focus, in a frame unless it is the whole chart. */
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
    if (!end.any) return pathOf(end.node)
    // What leaves the focus leaves its frame.
    if (framed && end.node === focus && outside(to)) return pathOf(focus)
    const pill = anyBox(end.node, pathOf(to.node))
    pills.push(pill)
    return pill.id
  }
  const edges = arrows.map(
    ({ from, to, transitions }): DiagramEdge => ({
      from: idOf(from, to),
      to: pathOf(to.node),
      lines: edgeLines(transitions, guards),
      ...meaningOf(transitions),
    }),
  )
  const inside = pills.filter(({ id }) => framed && id.startsWith(`${pathOf(focus)}*`))
  const boxes = framed
    ? [
        {
          ...stateBox(focus, effects ? reactionsOf(focus) : undefined),
          name: pathOf(focus),
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

/** The whole chart as a diagram, states within states. */
export function wholeDiagram(
  { root }: AnyStateMachine,
  { title, direction = 'DOWN', effects = true }: DiagramOptions,
): Diagram {
  const transitions = transitionsOf(root)
  const pills = new Map<AnyStateNode, DiagramBox[]>()
  const edges = new Map<string, DiagramEdge & { all: AnyTransitionDefinition[] }>()
  for (const transition of transitions) {
    const { source } = transition
    for (const target of targetsOf(transition)) {
      if (target === source) continue
      const inward = isWithin(target, source)
      const key = `${source.id} ${target.id}`
      const known = edges.get(key)
      if (known) {
        known.all.push(transition)
        continue
      }
      let from = pathOf(source)
      if (inward && isComposite(source)) {
        const pill = anyBox(source, pathOf(target))
        pills.set(source, [...(pills.get(source) ?? []), pill])
        from = pill.id
      }
      edges.set(key, { from, to: pathOf(target), lines: [], transitions: [], all: [transition] })
    }
  }
  const box = (node: AnyStateNode): DiagramBox => {
    const reactions = transitions
      .filter((transition) => transition.source === node && staysAt(node, transition))
      .map(reactionLine)
    return {
      ...stateBox(node, effects ? reactions : undefined),
      ...(isComposite(node) && { kind: node.parent?.type === 'parallel' ? 'region' : 'frame' }),
      children: [...children(node).map(box), ...(pills.get(node) ?? [])],
      initial: node.type === 'compound' ? initialOf(node) : undefined,
    }
  }
  return {
    title,
    direction,
    boxes: box(root).children,
    initial: initialOf(root),
    edges: [...edges.values()].map(({ all, ...edge }) => ({
      ...edge,
      lines: edgeLines(all),
      ...meaningOf(all),
    })),
  }
}

/** A diagram of names and lines alone. */
export function bare({ boxes, edges, ...diagram }: Diagram): Diagram {
  const bareBox = (box: DiagramBox): DiagramBox => ({ ...box, rows: [], children: box.children.map(bareBox) })
  return { ...diagram, boxes: boxes.map(bareBox), edges: edges.map((edge) => ({ ...edge, lines: [] })) }
}

function initialOf(node: AnyStateNode): string | undefined {
  const [first] = (node.initial?.target ?? []) as readonly AnyStateNode[]
  return first && pathOf(first)
}

/** Whether a transition does something and leads nowhere else. A timer that is only set anew is not worth telling. */
function staysAt(node: AnyStateNode, transition: AnyTransitionDefinition): boolean {
  const [target] = targetsOf(transition)
  return target === undefined || (target === node && transition.actions.length > 0)
}

function pathOf(node: AnyStateNode): string {
  return node.path.join('.')
}

function stateBox(node: AnyStateNode, reactions: readonly string[] | undefined): DiagramBox {
  const effects = reactions && [
    ...actorNames(node).map((name) => `invoke ${name}`),
    ...actionNames(node.entry)
      .filter((name) => !NOT_WORTH_TELLING.has(name))
      .map((name) => `entry / ${name}`),
    ...reactions,
  ]
  return {
    id: pathOf(node),
    name: node.key,
    kind: isComposite(node) ? 'composite' : 'state',
    tone: toneOf(node),
    ...(node.description && { description: node.description }),
    rows: [
      ...(node.description ? [{ text: node.description, code: false }] : []),
      ...(effects ?? []).map((text) => ({ text, code: true })),
    ],
    children: [],
  }
}

function anyBox(node: AnyStateNode, target: string): DiagramBox {
  return {
    id: `${pathOf(node)}* -> ${target}`,
    name: anyName(node),
    kind: 'any',
    tone: 'plain',
    rows: [],
    children: [],
  }
}

const TONES: Readonly<Record<string, Tone>> = {
  sent: 'sent',
  held: 'held',
  'sent without a token': 'unsigned',
  rejected: 'rejected',
  'as the gate says': 'gated',
}

function toneOf({ meta }: AnyStateNode): Tone {
  return TONES[(meta as { requests?: string } | undefined)?.requests ?? ''] ?? 'plain'
}

function meaningOf(transitions: readonly AnyTransitionDefinition[]) {
  const description = [...new Set(transitions.map(({ description }) => description))]
    .filter(Boolean)
    .join('\n')
  return { transitions: transitions.flatMap(transitionRefs), ...(description && { description }) }
}

function transitionRefs(transition: AnyTransitionDefinition): LaidTransition[] {
  const { source, eventType } = transition
  const guard = conditionOf(transition).slice(1, -1)
  return targetsOf(transition).map((target) => ({
    source: pathOf(source),
    target: pathOf(target),
    event: eventType,
    ...(guard && { guard }),
  }))
}
