import type { AnyStateNode, AnyTransitionDefinition } from 'xstate'
import type { LaidState, LaidTransition, Tone } from '../src/devtools/chart/chart-layout.ts'
import { actionNames, actorNames, anyName, conditionOf } from './names.ts'
import { isComposite, targetsOf } from './tree.ts'

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

/** Every entry of a state tells that it was entered, for the log: no picture is clearer for it. */
const NOT_WORTH_TELLING = new Set(['enter'])

export function initialOf(node: AnyStateNode): string | undefined {
  const [first] = (node.initial?.target ?? []) as readonly AnyStateNode[]
  return first && pathOf(first)
}

export function pathOf(node: AnyStateNode): string {
  return node.path.join('.')
}

export function stateBox(node: AnyStateNode, reactions: readonly string[] | undefined): DiagramBox {
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

export function anyBox(node: AnyStateNode, target: string): DiagramBox {
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
    source: pathOf(source),
    target: pathOf(target),
    event: eventType,
    ...(guard && { guard }),
  }))
}
