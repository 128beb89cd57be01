import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import {
  anyBox,
  type Diagram,
  type DiagramBox,
  type DiagramEdge,
  initialOf,
  meaningOf,
  pathOf,
  stateBox,
} from './boxes.ts'
import type { DiagramOptions } from './diagram.ts'
import { edgeLines, reactionLine } from './names.ts'
import { children, isComposite, isWithin, targetsOf, transitionsOf } from './tree.ts'

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

/** Whether a transition does something and leads nowhere else. A timer that is only set anew is not worth telling. */
function staysAt(node: AnyStateNode, transition: AnyTransitionDefinition): boolean {
  const [target] = targetsOf(transition)
  return target === undefined || (target === node && transition.actions.length > 0)
}
