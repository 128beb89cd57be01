import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'
import { anyId, anyName, edgeLines, escaped, id, mermaidLines, quoted, reactionLine } from './names.ts'
import { children, descendants, isComposite, isWithin, targetsOf, transitionsOf } from './tree.ts'

interface Edge {
  readonly from: string
  readonly to: string
  readonly transitions: AnyTransitionDefinition[]
  /** Where the line is written: inside this composite, or at the top level when undefined. */
  readonly scope: AnyStateNode | undefined
}

interface Drawing {
  readonly edges: Map<string, Edge>
  /** Transitions that change no state, by the id of the box that lists them. */
  readonly reactions: Map<string, string[]>
}

/**
 * Writes a machine as a Mermaid state diagram, all of it in one drawing.
 *
 * What a composite state does wherever it is (a transition into one of its own descendants, or one that changes no
 * state) is drawn from a box of its own, "any state", because Mermaid cannot draw an edge from a composite inwards.
 *
 * @param machine - Any XState v5 machine; it is read, never started.
 * @returns The text of a `stateDiagram-v2`, ending in a newline.
 * @throws An `Error` when two states would get the same Mermaid id.
 */
export function toMermaid(machine: AnyStateMachine): string {
  const { root } = machine
  assertUniqueIds(root)
  const drawing = collect(root)
  // Mermaid knows concurrent regions inside a composite only, so a parallel root is drawn as one.
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
    // One edge with several lines stays readable where several edges would lie on top of each other.
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
 * Siblings are connected inside their parent. Any other edge belongs at the top level: Mermaid moves a state into the
 * composite that names it last.
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
