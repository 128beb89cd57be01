import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import { anyName, edgeLines } from './names.ts'
import { children, isComposite, isWithin, targetsOf, transitionsOf } from './tree.ts'

/** One end of an arrow: a state, or "any state" of one. */
export interface End {
  readonly node: AnyStateNode
  readonly any: boolean
  /** A state of the focus goes by its own name, any other by the whole of it. */
  readonly name: string
}

/** All that leads from one end to another. */
export interface Arrow {
  readonly from: End
  readonly to: End
  /** In the order they are tried. */
  readonly transitions: readonly AnyTransitionDefinition[]
}

export interface Reaction {
  readonly at: End
  readonly transition: AnyTransitionDefinition
}

/** A part of a chart, as it is shown: which states, and what leads from one to another. */
export interface View {
  /** The state that is seen from the inside. */
  readonly focus: AnyStateNode
  /** What is shown, the states of the focus first. */
  readonly ends: readonly End[]
  readonly arrows: readonly Arrow[]
  /** What is done without leaving a state. */
  readonly reactions: readonly Reaction[]
  /** Where the focus begins. */
  readonly initial: readonly AnyStateNode[]
  /** Whether conditions are told. */
  readonly guards: boolean
}

export interface OverviewOptions {
  /** Transitions to leave out, by their cause as the drawing names it: `error authenticate`. */
  readonly without?: readonly string[]
}

/**
 * The top-level states of a machine and what leads from one to another. What happens inside a state is left out, and so are
 * conditions: the details are for `detail`.
 *
 * @param machine - Any XState v5 machine; it is read, never started.
 */
export function overview({ root }: AnyStateMachine, { without = [] }: OverviewOptions = {}): View {
  const top = (node: AnyStateNode): AnyStateNode =>
    node === root || node.parent === root ? node : top(node.parent as AnyStateNode)
  const arrows = collect(transitionsOf(root), (transition, target) => {
    const [from, to] = [top(transition.source), top(target)]
    if (from === to || without.includes(edgeLines([transition], false).join())) return undefined
    return { from: from === root ? anyState(root) : state(from, root), to: state(to, root) }
  })
  return view({ focus: root, arrows, guards: false, reactions: [] })
}

/**
 * One composite state from the inside: every transition of its children, those of its own, and the ends outside that they
 * touch. Left out is what only starts a state afresh and does nothing.
 *
 * @param machine - Any XState v5 machine; it is read, never started.
 * @param path - The keys that lead to the state: `['refreshing', 'gate']`. Its children must have no children.
 */
export function detail({ root }: AnyStateMachine, path: readonly string[]): View {
  const focus = path.reduce<AnyStateNode | undefined>((node, key) => node?.states[key], root)
  if (focus?.type !== 'compound' || children(focus).some(isComposite)) {
    throw new Error(
      `Cannot draw ${path.join('.') || root.key} from the inside: only a composite of plain states can be.`,
    )
  }
  const transitions = transitionsOf(root)
  const arrows = collect(transitions, ({ source, actions }, target) => {
    // A timer that is set anew.
    if (target === source && actions.length === 0) return undefined
    const inside = source === focus || isWithin(source, focus)
    // What comes from elsewhere to the composite itself begins at the state marked as the first.
    if (!inside && !isWithin(target, focus)) return undefined
    const from = source === focus || source === root ? anyState(source) : state(source, focus)
    return { from, to: state(target === focus ? initialOf(focus) : target, focus) }
  })
  const reactions = transitions
    .filter(({ source, target }) => target === undefined && (source === focus || source.parent === focus))
    .map((transition): Reaction => {
      const { source } = transition
      return { at: source === focus ? anyState(focus) : state(source, focus), transition }
    })
  return view({ focus, arrows, guards: true, reactions })
}

/** Two ends of the same key are the same. */
export function endKey({ node, any }: End): string {
  return `${node.id}${any ? ' any' : ''}`
}

function initialOf(node: AnyStateNode): AnyStateNode {
  return node.initial.target[0] as AnyStateNode
}

function state(node: AnyStateNode, focus: AnyStateNode): End {
  return { node, any: false, name: node.parent === focus ? node.key : node.path.join('.') }
}

function anyState(node: AnyStateNode): End {
  return { node, any: true, name: anyName(node) }
}

function collect(
  transitions: readonly AnyTransitionDefinition[],
  ends: (transition: AnyTransitionDefinition, target: AnyStateNode) => Omit<Arrow, 'transitions'> | undefined,
): Arrow[] {
  const arrows = new Map<string, Arrow & { transitions: AnyTransitionDefinition[] }>()
  for (const transition of transitions) {
    for (const target of targetsOf(transition)) {
      const found = ends(transition, target)
      if (!found) continue
      const key = `${endKey(found.from)} ${endKey(found.to)}`
      const arrow = arrows.get(key) ?? { ...found, transitions: [] }
      arrows.set(key, arrow)
      arrow.transitions.push(transition)
    }
  }
  return [...arrows.values()]
}

function view({ focus, arrows, reactions, guards }: Omit<View, 'ends' | 'initial'>): View {
  const own = children(focus).map((node) => state(node, focus))
  const others = [...reactions.map(({ at }) => at), ...arrows.flatMap(({ from, to }) => [from, to])]
  const ends = [...new Map([...own, ...others].map((end) => [endKey(end), end])).values()]
  // Layouts follow the order of the edges: in the order of their states, fewer of them cross.
  const order = ends.map(endKey)
  const rank = (end: End) => order.indexOf(endKey(end))
  const sorted = [...arrows].sort(
    (one, other) => rank(one.from) - rank(other.from) || rank(one.to) - rank(other.to),
  )
  return { focus, ends, arrows: sorted, reactions, initial: focus.initial?.target ?? [], guards }
}
