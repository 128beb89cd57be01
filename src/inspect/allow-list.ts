import type { AuthEmitted, AuthMachine, ChartContext } from '../../machines/index.ts'
import type { Fact, InspectedContext, InspectedEvent, InspectedSnapshot } from './frames.ts'

/** Error codes, reasons and the like. Tokens are longer, and sentences have spaces, so neither matches. */
const WORD = /^[a-z][a-z0-9_.-]{0,31}$/i

/** Names of states and events, joined by dots: `xstate.done.actor.0.auth.restoring.reading`. */
const PATH = /^[a-z0-9.]{0,120}$/i

type Rule = 'number' | 'boolean' | 'word' | 'words' | 'path' | Rules
interface Rules {
  readonly [name: string]: Rule
}

const TOKEN_FACTS: Rules = {
  epoch: 'number',
  generation: 'number',
  expiresAt: 'number',
  refreshAt: 'number',
  refreshable: 'boolean',
}

const FAILURE: Rules = {
  fatal: 'boolean',
  ambiguous: 'boolean',
  reason: 'word',
  status: 'number',
  retryAt: 'number',
  notBefore: 'number',
}

/** Fields of an event that may be shown. Covers the chart's own events, and XState's `done` and `error` events of actors. */
const EVENT: Rules = {
  facts: TOKEN_FACTS,
  output: TOKEN_FACTS,
  error: FAILURE,
  refreshed: 'boolean',
  generation: 'number',
  count: 'number',
  held: 'number',
  reason: 'word',
  scope: 'words',
  acrValues: 'words',
  maxAge: 'number',
}

const EMITTED: Rules = {
  type: 'word',
  at: 'number',
  epoch: 'number',
  generation: 'number',
  reason: 'word',
  from: 'path',
  to: 'path',
  attempt: 'number',
  fatal: 'boolean',
  status: 'number',
  retryAt: 'number',
  count: 'number',
  held: 'number',
  scope: 'words',
  acrValues: 'words',
  maxAge: 'number',
}

/** Fields of the context that may be shown, the most useful first: some inspectors show only ten. The key of the ports is left out. */
const CONTEXT: Readonly<Record<Exclude<keyof ChartContext, 'session'>, Rule>> = {
  status: 'word',
  reason: 'word',
  generation: 'number',
  epoch: 'number',
  expiresAt: 'number',
  refreshAt: 'number',
  held: 'number',
  attempt: 'number',
  failure: FAILURE,
  refreshable: 'boolean',
  ambiguous: 'boolean',
  retryAt: 'number',
  notBefore: 'number',
  rejectedGeneration: 'number',
  policy: {
    refreshOn: 'word',
    attempts: 'number',
    coolDown: 'number',
    ambiguousRefresh: 'word',
    silentSignIn: 'boolean',
    restores: 'boolean',
  },
}

export function eventFacts(event: { readonly type: string }): InspectedEvent {
  return { ...facts(event, EVENT), type: PATH.test(event.type) ? event.type : 'other' }
}

export function emittedFacts(emitted: AuthEmitted): AuthEmitted {
  return facts(emitted, EMITTED) as unknown as AuthEmitted
}

export function snapshotFacts(snapshot: ReturnType<AuthMachine['resolveState']>): InspectedSnapshot {
  const { status, value, context, tags } = snapshot
  return {
    status,
    value: copyStateValue(value),
    tags: [...tags],
    context: facts(context, CONTEXT) as InspectedContext,
  }
}

export function wordOr(word: unknown, other: string): string {
  return typeof word === 'string' && WORD.test(word) ? word : other
}

/** Copies the fields that have a rule and satisfy it. Everything else is left out. */
function facts(source: object, rules: Rules): Record<string, Fact> {
  const allowed: Record<string, Fact> = {}
  for (const [name, rule] of Object.entries(rules)) {
    const fact = factOf((source as Readonly<Record<string, unknown>>)[name], rule)
    if (fact !== undefined) allowed[name] = fact
  }
  return allowed
}

function factOf(value: unknown, rule: Rule): Fact | undefined {
  if (typeof rule === 'object') return typeof value === 'object' && value ? facts(value, rule) : undefined
  if (rule === 'number') return typeof value === 'number' ? value : undefined
  if (rule === 'boolean') return typeof value === 'boolean' ? value : undefined
  if (typeof value !== 'string') return undefined
  if (rule === 'word') return wordOr(value, 'other')
  if (rule === 'path') return PATH.test(value) ? value : 'other'
  return value.split(' ').every((word) => word.length <= 80) ? value : 'other'
}

/** Copies a state value, so that an observer cannot change the chart's own. */
function copyStateValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copyStateValue(inner)]))
}
