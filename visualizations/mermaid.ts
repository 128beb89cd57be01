import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import { anyId, anyName, edgeLines, escaped, id, mermaidLines, quoted, reactionLine } from './names.ts'
import { children, descendants, isComposite, isWithin, targetsOf, transitionsOf } from './tree.ts'

interface Edge {
  readonly from: string
  readonly to: string
  readonly transitions: AnyTransitionDefinition[]
  /** The composite in which the line is written; undefined: at the top level. */
  readonly scope: AnyStateNode | undefined
}

interface Drawing {
  readonly edges: Map<string, Edge>
  /** Transitions that change no state, by the id of the box that lists them. */
  readonly reactions: Map<string, string[]>
}

/**
 * Writes a whole machine as a Mermaid state diagram.
 *
 * Some transitions of a composite state are drawn from a separate box, "any state": those into its own descendants, and those
 * that change no state. Mermaid cannot draw an edge from a composite inwards.
 *
 * @param machine - Any XState v5 machine; it is read, never started.
 * @returns The text of a `stateDiagram-v2`, ending in a newline.
 * @throws Error if two states would get the same Mermaid id.
 */
export function toMermaid(machine: AnyStateMachine): string {
  const { root } = machine
  assertUniqueIds(root)
  const drawing = collect(root)
  // Mermaid supports concurrent regions only inside a composite, so a parallel root is drawn as a composite.
  const body = root.type === 'parallel' ? composite(root, drawing) : content(root, drawing)
  return ['stateDiagram-v2', ...indent([...body, ...edgesIn(drawing, undefined)]), ''].join('\n')
}

function collect(root: AnyStateNode): Drawing {
  const drawing: Drawing = { edges: new Map(), reactions: new Map() }
  for (const transition of transitionsOf(root)) addTransition(drawing, transition)
  return drawing
}

function addTransition({ edges, reactions }: Drawing, transition: AnyTransitionDefinition): void {
  const { source, target } = transition
  if (target === undefined) {
    const box = isComposite(source) ? anyId(source) : id(source)
    reactions.set(box, [...(reactions.get(box) ?? []), escaped(reactionLine(transition))])
    return
  }
  for (const destination of targetsOf(transition)) {
    const inward = isComposite(source) && isWithin(destination, source)
    const from = inward ? anyId(source) : id(source)
    const to = id(destination)
    // Several edges between the same states would overlap: draw one edge with several lines.
    const edge = edges.get(`${from} ${to}`) ?? {
      from,
      to,
      transitions: [],
      scope: scopeOf(source, destination, inward),
    }
    edges.set(`${from} ${to}`, edge)
    edge.transitions.push(transition)
  }
}

/**
 * Edges between children of the same parent are written inside the parent. All others are written at the top level, because
 * Mermaid moves a state into the composite that names it last.
 */
function scopeOf(source: AnyStateNode, target: AnyStateNode, inward: boolean): AnyStateNode | undefined {
  const parent = inward ? source : source.parent
  return parent !== undefined && parent.type !== 'parallel' && target.parent === parent ? parent : undefined
}

function composite(node: AnyStateNode, drawing: Drawing): string[] {
  return [`state ${quoted(node.key)} as ${id(node)} {`, ...indent(content(node, drawing)), '}']
}

function content(node: AnyStateNode, drawing: Drawing): string[] {
  const parts = [anyBox(node, drawing), ...children(node).map((child) => box(child, drawing))]
  const filled = parts.filter((lines) => lines.length > 0)
  if (node.type === 'parallel')
    return filled.flatMap((lines, index) => (index > 0 ? ['--', ...lines] : lines))
  const initial = node.initial.target.map((target) => `[*] --> ${id(target)}`)
  return [...initial, ...filled.flat(), ...edgesIn(drawing, node)]
}

function box(node: AnyStateNode, drawing: Drawing): string[] {
  if (isComposite(node)) return composite(node, drawing)
  if (node.type === 'history') return [`state ${quoted(node.history === 'deep' ? 'H*' : 'H')} as ${id(node)}`]
  const end = node.type === 'final' ? [`${id(node)} --> [*]`] : []
  return [`state ${quoted(node.key)} as ${id(node)}`, ...reactionLines(id(node), drawing), ...end]
}

function anyBox(node: AnyStateNode, drawing: Drawing): string[] {
  const box = anyId(node)
  const used = drawing.reactions.has(box) || [...drawing.edges.values()].some(({ from }) => from === box)
  if (!used) return []
  return [`state ${quoted(anyName(node))} as ${box}`, ...reactionLines(box, drawing)]
}

function edgesIn({ edges }: Drawing, scope: AnyStateNode | undefined): string[] {
  return [...edges.values()]
    .filter((edge) => edge.scope === scope)
    .map(({ from, to, transitions }) => {
      const text = mermaidLines(edgeLines(transitions))
      return text === '' ? `${from} --> ${to}` : `${from} --> ${to} : ${text}`
    })
}

function reactionLines(box: string, { reactions }: Drawing): string[] {
  return (reactions.get(box) ?? []).map((line) => `${box} : ${line}`)
}

function assertUniqueIds(root: AnyStateNode): void {
  const seen = new Map<string, string>()
  for (const node of descendants(root)) {
    const other = seen.get(id(node))
    if (other !== undefined)
      throw new Error(`Cannot draw ${other} and ${node.id}: both become ${id(node)}. Rename one.`)
    seen.set(id(node), node.id)
  }
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}
