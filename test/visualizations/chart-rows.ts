/** Lists a chart as lines, one for each state and transition. The same for a machine and for the output of a parser. */
import type { AnyStateNode, AnyTransitionDefinition } from 'xstate'
import { causeOf, conditionOf } from '../../visualizations/names.ts'
import { descendants, nodePath, targetsOf } from '../../visualizations/tree.ts'

/** A state machine, as Stately's parser returns it. */
export interface Extracted {
  readonly id?: string
  readonly type?: string
  readonly initial?: string
  readonly description?: string
  readonly tags?: string | readonly string[]
  readonly entry?: Many<ExtractedAction>
  readonly exit?: Many<ExtractedAction>
  readonly invoke?: Many<{
    readonly src: string
    readonly onDone?: Many<ExtractedTransition>
    readonly onError?: Many<ExtractedTransition>
  }>
  readonly on?: Readonly<Record<string, Many<ExtractedTransition>>>
  readonly after?: Readonly<Record<string, Many<ExtractedTransition>>>
  readonly always?: Many<ExtractedTransition>
  readonly states?: Readonly<Record<string, Extracted>>
}

interface ExtractedTransition {
  readonly target?: string
  readonly cond?: { readonly kind: string; readonly type: string }
  readonly actions?: Many<ExtractedAction>
  readonly description?: string
}

interface ExtractedAction {
  readonly kind: string
  readonly action: { readonly type: string; readonly params: object }
}

type Many<T> = T | readonly T[]

const many = <T>(value: Many<T> | undefined): readonly T[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value as T]

/** Lists the states and transitions of a machine. */
export function rowsOfMachine(root: AnyStateNode): string[] {
  return [root, ...descendants(root)].flatMap((node) => {
    const path = nodePath(node)
    const [initial] = node.initial?.target ?? []
    return [
      stateRow({
        path,
        type: node.type === 'parallel' ? node.type : undefined,
        initial: (initial as AnyStateNode | undefined)?.key,
        description: node.description,
        tags: node.tags,
        invoke: node.invoke.map(({ src }) => src),
        entry: ownActions(node.entry),
        exit: ownActions(node.exit),
      }),
      ...[...(node.always ?? []), ...[...node.transitions.values()].flat()].map(transitionOfMachine),
    ]
  })
}

function transitionOfMachine(transition: AnyTransitionDefinition): string {
  const { source, actions, description } = transition
  return transitionRow({
    source: nodePath(source),
    cause: causeOf(transition),
    guard: conditionOf(transition).slice(1, -1),
    target: targetsOf(transition).map(nodePath).join(),
    actions: actions.map(actionText),
    description,
  })
}

/** Leaves out the actions that XState adds for timers. */
function ownActions(actions: readonly unknown[]): string[] {
  return actions.map(actionText).filter((text) => !text.startsWith('xstate.'))
}

function actionText(action: unknown): string {
  const { type, params } = (typeof action === 'string' ? { type: action } : action) as {
    type: string
    params?: object
  }
  return `${type}${JSON.stringify(params ?? {})}`
}

/** Lists the states and transitions of a parsed chart. */
export function rowsOfExtracted(chart: Extracted): string[] {
  const rows = (state: Extracted, path: readonly string[]): string[] => {
    const transition =
      (cause: string) =>
      ({ target, cond, actions, description }: ExtractedTransition) =>
        transitionRow({
          source: path.join('.'),
          cause,
          guard: cond === undefined ? '' : named(cond.kind, cond.type),
          target: target === undefined ? '' : resolve(target, path, chart.id).join('.'),
          actions: many(actions).map(extractedAction),
          description,
        })
    const caused = (causes: Extracted['on'], prefix = '') =>
      Object.entries(causes ?? {}).flatMap(([cause, transitions]) =>
        many(transitions).map(transition(`${prefix}${cause}`)),
      )
    return [
      stateRow({
        path: path.join('.'),
        type: state.type,
        initial: state.initial,
        description: state.description,
        tags: many(state.tags),
        invoke: many(state.invoke).map(({ src }) => src),
        entry: many(state.entry).map(extractedAction),
        exit: many(state.exit).map(extractedAction),
      }),
      ...many(state.always).map(transition('')),
      ...caused(state.on),
      ...many(state.invoke).flatMap(({ src, onDone, onError }) => [
        ...many(onDone).map(transition(`done ${src}`)),
        ...many(onError).map(transition(`error ${src}`)),
      ]),
      ...caused(state.after, 'after '),
      ...Object.entries(state.states ?? {}).flatMap(([key, child]) => rows(child, [...path, key])),
    ]
  }
  return rows(chart, [])
}

/** Returns the name of an implementation. Inline ones have no name, so Stately could not show them. */
function named(kind: string, type: string): string {
  return kind === 'named' ? type : `${kind} ${type}`
}

function extractedAction({ kind, action }: ExtractedAction): string {
  return `${named(kind, action.type)}${JSON.stringify(action.params)}`
}

function resolve(target: string, from: readonly string[], id = ''): readonly string[] {
  if (target.startsWith(`#${id}.`)) return target.slice(id.length + 2).split('.')
  if (target.startsWith('.')) return [...from, ...target.slice(1).split('.')]
  return [...from.slice(0, -1), ...target.split('.')]
}

function stateRow(state: {
  path: string
  type: string | undefined
  initial: string | undefined
  description: string | undefined
  tags: readonly string[]
  invoke: readonly unknown[]
  entry: readonly string[]
  exit: readonly string[]
}): string {
  return `state ${JSON.stringify(state)}`
}

function transitionRow(transition: {
  source: string
  cause: string
  guard: string
  target: string
  actions: readonly string[]
  description: string | undefined
}): string {
  return `transition ${JSON.stringify(transition)}`
}
