import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import {
  anyBox,
  type Diagram,
  type DiagramBox,
  type DiagramEdge,
  initialOf,
  meaningOf,
  stateBox,
} from './boxes.ts'
import type { DiagramOptions } from './diagram.ts'
import { edgeLines, reactionLine } from './names.ts'
import { children, isComposite, isWithin, nodePath, targetsOf, transitionsOf } from './tree.ts'

/** Turns the whole chart into a diagram of nested states. */
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
      let from = nodePath(source)
      if (inward && isComposite(source)) {
        const pill = anyBox(source, nodePath(target))
        pills.set(source, [...(pills.get(source) ?? []), pill])
        from = pill.id
      }
      edges.set(key, { from, to: nodePath(target), lines: [], transitions: [], all: [transition] })
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

/** Whether a transition has an effect but stays in its state. One that only restarts a timer does not count. */
function staysAt(node: AnyStateNode, transition: AnyTransitionDefinition): boolean {
  const [target] = targetsOf(transition)
  return target === undefined || (target === node && transition.actions.length > 0)
}
