import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import { anyId, anyName, edgeText, id, quoted, reactionText } from './names.ts'
import { children, isComposite, isWithin, targetsOf, transitionsOf } from './tree.ts'

/** One end of an edge, as a view shows it. */
interface Box {
  readonly id: string
  readonly name: string
}

interface Edge {
  readonly from: Box
  readonly to: Box
  readonly transitions: AnyTransitionDefinition[]
}

export interface OverviewOptions {
  /** Transitions to leave out, by their cause as the drawing names it: `error authenticate`. */
  readonly without?: readonly string[]
}

/**
 * Writes the top-level states of a machine and what leads from one to another, as a Mermaid state diagram. What happens
 * inside a state is left out, and so are conditions: the details are for `detail`.
 *
 * @param machine - Any XState v5 machine; it is read, never started.
 * @returns The text of a `stateDiagram-v2`, ending in a newline.
 */
export function overview({ root }: AnyStateMachine, { without = [] }: OverviewOptions = {}): string {
  const top = (node: AnyStateNode): AnyStateNode =>
    node === root || node.parent === root ? node : top(node.parent as AnyStateNode)
  const edges = collect(transitionsOf(root), (transition, target) => {
    const [from, to] = [top(transition.source), top(target)]
    if (from === to || without.includes(edgeText([transition], false))) return undefined
    return { from: from === root ? anyBox(root) : box(from, root), to: box(to, root) }
  })
  return write({ focus: root, edges, guards: false })
}

export interface DetailOptions {
  /** Which way the drawing grows. Default: down. */
  readonly direction?: 'LR' | 'TB'
}

/**
 * Writes one composite state from the inside, as a Mermaid state diagram: every transition of its children, those of its
 * own, and the ends outside that they touch. Left out is what only starts a state afresh and does nothing.
 *
 * @param machine - Any XState v5 machine; it is read, never started.
 * @param path - The keys that lead to the state: `['refreshing', 'gate']`. Its children must have no children.
 * @returns The text of a `stateDiagram-v2`, ending in a newline.
 */
export function detail(
  { root }: AnyStateMachine,
  path: readonly string[],
  { direction }: DetailOptions = {},
): string {
  const focus = path.reduce<AnyStateNode | undefined>((node, key) => node?.states[key], root)
  if (focus?.type !== 'compound' || children(focus).some(isComposite)) {
    throw new Error(
      `Cannot draw ${path.join('.') || root.key} from the inside: only a composite of plain states can be.`,
    )
  }
  const transitions = transitionsOf(root)
  const edges = collect(transitions, ({ source, actions }, target) => {
    // A timer that is set anew.
    if (target === source && actions.length === 0) return undefined
    const inside = source === focus || isWithin(source, focus)
    // What comes from elsewhere to the composite itself begins at the state marked as the first.
    if (!inside && !isWithin(target, focus)) return undefined
    const from = source === focus || source === root ? anyBox(source) : box(source, focus)
    return { from, to: box(target === focus ? initialOf(focus) : target, focus) }
  })
  const reactions = transitions
    .filter(({ source, target }) => target === undefined && (source === focus || source.parent === focus))
    .map((transition): readonly [Box, string] => {
      const { source } = transition
      return [source === focus ? anyBox(focus) : box(source, focus), reactionText(transition)]
    })
  return write({ focus, edges, guards: true, reactions, direction })
}

function initialOf(node: AnyStateNode): AnyStateNode {
  return node.initial.target[0] as AnyStateNode
}

/** A state of the focus goes by its own name, any other by the whole of it. */
function box(node: AnyStateNode, focus: AnyStateNode): Box {
  return { id: id(node), name: node.parent === focus ? node.key : node.path.join('.') }
}

function anyBox(node: AnyStateNode): Box {
  return { id: anyId(node), name: anyName(node) }
}

function collect(
  transitions: readonly AnyTransitionDefinition[],
  ends: (transition: AnyTransitionDefinition, target: AnyStateNode) => Omit<Edge, 'transitions'> | undefined,
): Edge[] {
  const edges = new Map<string, Edge>()
  for (const transition of transitions) {
    for (const target of targetsOf(transition)) {
      const found = ends(transition, target)
      if (!found) continue
      const key = `${found.from.id} ${found.to.id}`
      const edge = edges.get(key) ?? { ...found, transitions: [] }
      edges.set(key, edge)
      edge.transitions.push(transition)
    }
  }
  return [...edges.values()]
}

function write({
  focus,
  edges,
  guards,
  reactions = [],
  direction,
}: {
  focus: AnyStateNode
  edges: readonly Edge[]
  guards: boolean
  reactions?: readonly (readonly [Box, string])[]
  direction?: DetailOptions['direction']
}): string {
  const own = children(focus).map((node) => box(node, focus))
  const others = [...reactions.map(([at]) => at), ...edges.flatMap(({ from, to }) => [from, to])]
  const boxes = new Map([...own, ...others].map((end) => [end.id, end.name]))
  const initial = focus.initial?.target ?? []
  // Mermaid lays edges out in the order they are written: in the order of their states, fewer of them cross.
  const order = [...boxes.keys()]
  const rank = (end: Box) => order.indexOf(end.id)
  const sorted = [...edges].sort(
    (one, other) => rank(one.from) - rank(other.from) || rank(one.to) - rank(other.to),
  )
  const lines = [
    ...(direction ? [`direction ${direction}`] : []),
    ...initial.map((node: AnyStateNode) => `[*] --> ${id(node)}`),
    ...[...boxes].map(([key, name]) => `state ${quoted(name)} as ${key}`),
    ...reactions.map(([at, text]) => `${at.id} : ${text}`),
    ...sorted.map(({ from, to, transitions }) => {
      const text = edgeText(transitions, guards)
      return `${from.id} --> ${to.id}${text === '' ? '' : ` : ${text}`}`
    }),
  ]
  return ['stateDiagram-v2', ...lines.map((line) => `  ${line}`), ''].join('\n')
}
