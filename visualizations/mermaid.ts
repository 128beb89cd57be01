import type { AnyStateMachine, AnyStateNode, AnyTransitionDefinition } from 'xstate'

interface Edge {
  readonly from: string
  readonly to: string
  readonly labels: string[]
  /** Where the line is written: inside this composite, or at the top level when undefined. */
  readonly scope: AnyStateNode | undefined
}

interface Drawing {
  readonly edges: Map<string, Edge>
  /** Transitions that change no state, by the id of the box that lists them. */
  readonly reactions: Map<string, string[]>
}

/**
 * Writes a machine as a Mermaid state diagram.
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
  return ['stateDiagram-v2', ...indent([...body, ...edgeLines(drawing, undefined)]), ''].join('\n')
}

function collect(root: AnyStateNode): Drawing {
  const drawing: Drawing = { edges: new Map(), reactions: new Map() }
  for (const node of [root, ...descendants(root)]) {
    for (const transition of [...(node.always ?? []), ...[...node.transitions.values()].flat()]) {
      addTransition(drawing, transition)
    }
  }
  return drawing
}

function addTransition({ edges, reactions }: Drawing, transition: AnyTransitionDefinition): void {
  const { source, target } = transition
  if (target === undefined) {
    const box = isComposite(source) ? anyId(source) : id(source)
    reactions.set(box, [...(reactions.get(box) ?? []), reactionLabel(transition)])
    return
  }
  for (const destination of target as readonly AnyStateNode[]) {
    const inward = isComposite(source) && isWithin(destination, source)
    const from = inward ? anyId(source) : id(source)
    const to = id(destination)
    // One edge with several lines stays readable where several edges would lie on top of each other.
    const edge = edges.get(`${from} ${to}`) ?? {
      from,
      to,
      labels: [],
      scope: scopeOf(source, destination, inward),
    }
    edges.set(`${from} ${to}`, edge)
    edge.labels.push(label(transition))
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
  return [...initial, ...filled.flat(), ...edgeLines(drawing, node)]
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
  const name = node.parent === undefined ? 'any state' : `any state of ${node.key}`
  return [`state ${quoted(name)} as ${box}`, ...reactionLines(box, drawing)]
}

function edgeLines({ edges }: Drawing, scope: AnyStateNode | undefined): string[] {
  return [...edges.values()]
    .filter((edge) => edge.scope === scope)
    .map(({ from, to, labels }) => {
      const text = labels.filter((line) => line !== '').join('<br/>')
      return text === '' ? `${from} --> ${to}` : `${from} --> ${to} : ${text}`
    })
}

function reactionLines(box: string, { reactions }: Drawing): string[] {
  return (reactions.get(box) ?? []).map((line) => `${box} : ${line}`)
}

function reactionLabel(transition: AnyTransitionDefinition): string {
  const { actions } = transition
  const names = actions.map(nameOf).filter((name) => name !== undefined && !name.startsWith('xstate.'))
  const effect = actions.length === 0 ? 'ignored' : escaped(names.join(', '))
  return effect === '' ? label(transition) : `${label(transition)} / ${effect}`.trim()
}

function label({ eventType, guard, source }: AnyTransitionDefinition): string {
  const event = eventName(eventType, source)
  const condition = guard === undefined ? '' : `[${guardName(guard)}]`
  return escaped(`${event} ${condition}`.trim())
}

function eventName(type: string, source: AnyStateNode): string {
  if (type === '*') return 'any event'
  if (!type.startsWith('xstate.')) return type
  const [, kind = '', subject = ''] = type.split('.')
  if (kind === 'after')
    return `after ${delayName(type.slice('xstate.after.'.length, -`.${source.id}`.length))}`
  if (kind === 'snapshot') return `snapshot ${actorName(type.slice('xstate.snapshot.'.length), source)}`
  if (subject !== 'actor') return kind
  return `${kind} ${actorName(type.slice(`xstate.${kind}.actor.`.length), source)}`
}

function delayName(delay: string): string {
  return Number.isNaN(Number(delay)) ? delay : `${delay} ms`
}

function actorName(invokeId: string, source: AnyStateNode): string {
  const src = source.invoke.find((invoke) => invoke.id === invokeId)?.src
  return typeof src === 'string' && !src.startsWith('xstate.') ? src : 'inline actor'
}

function guardName(guard: unknown): string {
  // `not`, `and` and `or` are functions that carry their operands.
  if (typeof guard === 'function' && 'guards' in guard && Array.isArray(guard.guards)) {
    const operands = guard.guards.map(guardName)
    return guard.name === 'not' ? `not ${operands.join()}` : operands.join(` ${guard.name} `)
  }
  return nameOf(guard) ?? 'inline guard'
}

/** The name a guard or an action was registered under; undefined for one written in place. */
function nameOf(reference: unknown): string | undefined {
  if (typeof reference === 'string') return reference
  const named = (typeof reference === 'object' || typeof reference === 'function') && reference !== null
  return named && 'type' in reference ? String(reference.type) : undefined
}

function isComposite(node: AnyStateNode): boolean {
  return node.type === 'compound' || node.type === 'parallel'
}

function isWithin(node: AnyStateNode, ancestor: AnyStateNode): boolean {
  return node.parent !== undefined && (node.parent === ancestor || isWithin(node.parent, ancestor))
}

function children(node: AnyStateNode): AnyStateNode[] {
  return Object.values(node.states)
}

function descendants(node: AnyStateNode): AnyStateNode[] {
  return children(node).flatMap((child) => [child, ...descendants(child)])
}

/** Dots mean something to Mermaid, and a bare key such as `end` or `state` would be one of its keywords. */
function id(node: AnyStateNode): string {
  return [node.machine.id, ...node.path].join('_').replace(/\W/g, '_')
}

function anyId(node: AnyStateNode): string {
  return `${id(node)}__any`
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

function quoted(text: string): string {
  return `"${escaped(text)}"`
}

function escaped(text: string): string {
  return text.replace(/[#;"<>]/g, (character) => `#${character.charCodeAt(0)};`)
}

function indent(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`)
}
