import type { AnyStateNode, AnyTransitionDefinition } from 'xstate'

/** Dots mean something to Mermaid, and a bare key such as `end` or `state` would be one of its keywords. */
export function id(node: AnyStateNode): string {
  return [node.machine.id, ...node.path].join('_').replace(/\W/g, '_')
}

/** The box for what a composite does in whichever state it is. */
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

/** Lines of text, as Mermaid takes them. */
export function mermaidLines(lines: readonly string[]): string {
  return lines.map(escaped).join('<br/>')
}

/**
 * What stands on one edge: a line for each cause, or one line for all causes under the same guard.
 *
 * @param transitions - The transitions the edge stands for, in the order they are tried.
 * @param guards - Whether conditions are told; a transition that has no cause but its condition tells it always.
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

/** A transition that changes no state, as a line in a box. */
export function reactionLine(transition: AnyTransitionDefinition): string {
  const { actions } = transition
  const effect = actions.length === 0 ? 'ignored' : actionNames(actions).join(', ')
  const text = edgeLines([transition]).join()
  return effect === '' ? text : `${text} / ${effect}`.trim()
}

/** The names of actions, without those that XState made up. */
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
