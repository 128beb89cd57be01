import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import { anyName, edgeLines } from './names.ts'
import { children, isComposite, isWithin, nodePath, targetsOf, transitionsOf } from './tree.ts'

/** One end of an arrow: a state, or "any state" of one. */
export interface End {
  readonly node: AnyStateNode
  readonly any: boolean
  /** The key of a child of the focus, or the full path of any other state. */
  readonly name: string
}

/** All transitions from one end to another. */
export interface Arrow {
  readonly from: End
  readonly to: End
  /** In the order in which they are tried. */
  readonly transitions: readonly AnyTransitionDefinition[]
}

export interface Reaction {
  readonly at: End
  readonly transition: AnyTransitionDefinition
}

/** A part of a chart to draw: its states, and the transitions between them. */
export interface View {
  /** The state whose children are shown. */
  readonly focus: AnyStateNode
  /** All shown states, the children of the focus first. */
  readonly ends: readonly End[]
  readonly arrows: readonly Arrow[]
  /** Transitions that change no state. */
  readonly reactions: readonly Reaction[]
  /** The initial state of the focus. */
  readonly initial: readonly AnyStateNode[]
  /** Whether to show conditions. */
  readonly guards: boolean
}

export interface OverviewOptions {
  /** Transitions to leave out, by their cause as the drawing names it: `error authenticate`. */
  readonly without?: readonly string[]
}

/**
 * Shows the top-level states of a machine and the transitions between them. Inner states and conditions are left out; see
 * `detail`.
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
 * Shows the inside of a composite state: its children, all their transitions and its own, and the outside states at their other
 * ends. Transitions that only restart a timer are left out.
 *
 * @param machine - Any XState v5 machine; it is read, never started.
 * @param path - The keys that lead to the state: `['refreshing', 'gate']`. Its children must have no children.
 */
export function detail({ root }: AnyStateMachine, path: readonly string[]): View {
  const focus = path.reduce<AnyStateNode | undefined>((node, key) => node?.states[key], root)
  if (focus?.type !== 'compound' || children(focus).some(isComposite)) {
    throw new Error(
      `Cannot draw ${path.join('.') || root.key} from the inside: it must be a composite state whose children have no children.`,
    )
  }
  const transitions = transitionsOf(root)
  const arrows = collect(transitions, ({ source, actions }, target) => {
    // Only restarts a timer.
    if (target === source && actions.length === 0) return undefined
    const inside = source === focus || isWithin(source, focus)
    // Transitions from outside to the composite itself are left out: the mark of the initial state shows where they lead.
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

/** Identifies an end. */
function endKey({ node, any }: End): string {
  return `${node.id}${any ? ' any' : ''}`
}

function initialOf(node: AnyStateNode): AnyStateNode {
  return node.initial.target[0] as AnyStateNode
}

function state(node: AnyStateNode, focus: AnyStateNode): End {
  return { node, any: false, name: node.parent === focus ? node.key : nodePath(node) }
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
  // Layouts follow the order of the edges. Sorted like their states, fewer edges cross.
  const order = ends.map(endKey)
  const rank = (end: End) => order.indexOf(endKey(end))
  const sorted = [...arrows].sort(
    (one, other) => rank(one.from) - rank(other.from) || rank(one.to) - rank(other.to),
  )
  return { focus, ends, arrows: sorted, reactions, initial: focus.initial?.target ?? [], guards }
}
