import type { AnyStateNode, AnyTransitionDefinition } from 'xstate'
import type { LaidState, LaidTransition, Tone } from '../src/devtools/chart/chart-layout.ts'
import { actionNames, actorNames, anyName, conditionOf } from './names.ts'
import { descendants, isComposite, lineage, nodePath, targetsOf } from './tree.ts'

/** The content of a drawing, before layout. */
export interface Diagram {
  readonly title: string
  readonly direction: 'DOWN' | 'RIGHT'
  readonly boxes: readonly DiagramBox[]
  readonly edges: readonly DiagramEdge[]
  /** The id of the box of the initial state. */
  readonly initial?: string | undefined
}

export interface DiagramBox extends Omit<LaidState, 'x' | 'y' | 'width' | 'height'> {
  readonly children: readonly DiagramBox[]
  /** The id of its initial state. */
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

export function initialOf(node: AnyStateNode): string | undefined {
  const [first] = (node.initial?.target ?? []) as readonly AnyStateNode[]
  return first && nodePath(first)
}

export function stateBox(node: AnyStateNode, reactions: readonly string[] | undefined): DiagramBox {
  const effects = reactions && [
    ...actorNames(node).map((name) => `invoke ${name}`),
    ...actionNames(node.entry).map((name) => `entry / ${name}`),
    ...reactions,
  ]
  return {
    id: nodePath(node),
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

export function anyBox(node: AnyStateNode, target: string): DiagramBox {
  return {
    id: `${nodePath(node)}* -> ${target}`,
    name: anyName(node),
    kind: 'any',
    tone: 'plain',
    rows: [],
    children: [],
  }
}

const isMode = (tag: string): tag is Tone => ['pass', 'hold', 'anonymous', 'refuse'].includes(tag)
const modeIn = (nodes: readonly AnyStateNode[]) => nodes.flatMap(({ tags }) => tags).find(isMode)

/** Reads the tag that says what happens to requests: the state's own or an ancestor's, or one of another region. */
function toneOf(node: AnyStateNode): Tone {
  const around = lineage(node)
  const isGated = around.some((one) => one.type === 'parallel' && modeIn(descendants(one)))
  return modeIn(around) ?? (isGated ? 'gated' : 'plain')
}

export function meaningOf(transitions: readonly AnyTransitionDefinition[]) {
  const description = [...new Set(transitions.map(({ description }) => description))]
    .filter(Boolean)
    .join('\n')
  return { transitions: transitions.flatMap(transitionRefs), ...(description && { description }) }
}

function transitionRefs(transition: AnyTransitionDefinition): LaidTransition[] {
  const { source, eventType } = transition
  const guard = conditionOf(transition).slice(1, -1)
  return targetsOf(transition).map((target) => ({
    source: nodePath(source),
    target: nodePath(target),
    event: eventType,
    ...(guard && { guard }),
  }))
}
