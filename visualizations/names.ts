import type { AnyStateNode, AnyTransitionDefinition } from 'xstate'

/** Returns the Mermaid id of a state. Dots are syntax in Mermaid, and a bare key such as `end` or `state` would be a keyword. */
export function id(node: AnyStateNode): string {
  return [node.machine.id, ...node.path].join('_').replace(/\W/g, '_')
}

/** Returns the Mermaid id of the "any state" box of a composite. */
export function anyId(node: AnyStateNode): string {
  return `${id(node)}__any`
}

export function anyName(node: AnyStateNode): string {
  return node.parent === undefined ? 'any state' : `any state of ${node.key}`
}

export function quoted(text: string): string {
  return `"${escaped(text)}"`
}

export function escaped(text: string): string {
  return text.replace(/[#;"<>]/g, (character) => `#${character.charCodeAt(0)};`)
}

/** Joins lines of text for Mermaid. */
export function mermaidLines(lines: readonly string[]): string {
  return lines.map(escaped).join('<br/>')
}

/**
 * Returns the label of an edge: one line per cause, or one line for all causes with the same guard.
 *
 * @param transitions - The transitions of the edge, in the order in which they are tried.
 * @param guards - Whether to show conditions. An eventless transition shows its condition in any case.
 */
export function edgeLines(transitions: readonly AnyTransitionDefinition[], guards = true): string[] {
  const lines = new Map<string, { causes: string[]; condition: string }>()
  for (const transition of transitions) {
    const cause = causeOf(transition)
    const condition = guards || cause === '' ? conditionOf(transition) : ''
    const line = lines.get(condition || cause) ?? { causes: [], condition }
    lines.set(condition || cause, line)
    if (cause !== '' && !line.causes.includes(cause)) line.causes.push(cause)
  }
  return [...lines.values()]
    .map(({ causes, condition }) => `${causes.join(', ')} ${condition}`.trim())
    .filter((line) => line !== '')
}

/** Returns the line in a box for a transition that changes no state. */
export function reactionLine(transition: AnyTransitionDefinition): string {
  const { actions } = transition
  const effect = actions.length === 0 ? 'ignored' : actionNames(actions).join(', ')
  const text = edgeLines([transition]).join()
  return effect === '' ? text : `${text} / ${effect}`.trim()
}

/** The names of actions, without XState's internal ones. */
export function actionNames(actions: readonly unknown[]): string[] {
  return actions.map(nameOf).filter((name) => name !== undefined && !name.startsWith('xstate.')) as string[]
}

/** The names of the actors that run while a state is active. */
export function actorNames(node: AnyStateNode): string[] {
  return node.invoke.map(({ id }) => actorName(id, node))
}

export function conditionOf({ guard }: AnyTransitionDefinition): string {
  return guard === undefined ? '' : `[${guardName(guard)}]`
}

export function causeOf({ eventType: type, source }: AnyTransitionDefinition): string {
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
