import type { AuthContext, AuthEmitted, AuthMachine } from '../../machines/index.ts'
import type { Fact, InspectedContext, InspectedEvent, InspectedSnapshot } from './frames.ts'

/** Words of the library, of OAuth, and of this kind: a token or a sentence is none. */
const WORD = /^[a-z][a-z0-9_.-]{0,31}$/i

/** Names with dots between them, of states and of events: `xstate.done.actor.0.auth.restoring.reading`. */
const PATH = /^[a-z0-9.]{0,120}$/i

type Rule = 'number' | 'truth' | 'word' | 'words' | 'path' | Rules
interface Rules {
  readonly [name: string]: Rule
}

const TOKEN_FACTS: Rules = {
  epoch: 'number',
  generation: 'number',
  expiresAt: 'number',
  renewAt: 'number',
  renewable: 'truth',
}

const FAILURE: Rules = {
  fatal: 'truth',
  uncertain: 'truth',
  reason: 'word',
  status: 'number',
  retryAt: 'number',
  notBefore: 'number',
}

/** What may be shown of an event: those of the vocabulary, and the two by which what the chart started ends. */
const EVENT: Rules = {
  facts: TOKEN_FACTS,
  output: TOKEN_FACTS,
  error: FAILURE,
  works: 'truth',
  renewal: 'truth',
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
  fatal: 'truth',
  status: 'number',
  retryAt: 'number',
  count: 'number',
  held: 'number',
  scope: 'words',
  acrValues: 'words',
  maxAge: 'number',
}

/** What is looked for first stands first: some inspectors show no more than ten. */
const CONTEXT: Readonly<Record<keyof AuthContext, Rule>> = {
  standing: 'word',
  reason: 'word',
  generation: 'number',
  epoch: 'number',
  expiresAt: 'number',
  renewAt: 'number',
  held: 'number',
  attempt: 'number',
  failure: FAILURE,
  renewable: 'truth',
  uncertain: 'truth',
  retryAt: 'number',
  notBefore: 'number',
  rejectedGeneration: 'number',
  policy: { attempts: 'number', ambiguousRefresh: 'word', silentSignIn: 'truth', restores: 'truth' },
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
    value: structuredValue(value),
    tags: [...tags],
    context: facts(context, CONTEXT) as InspectedContext,
  }
}

export function wordOr(word: unknown, other: string): string {
  return typeof word === 'string' && WORD.test(word) ? word : other
}

/** Makes a new object of what a rule lets pass; everything else is left out, whatever it is. */
function facts(source: object, rules: Rules): Record<string, Fact> {
  const told: Record<string, Fact> = {}
  for (const [name, rule] of Object.entries(rules)) {
    const fact = factOf((source as Readonly<Record<string, unknown>>)[name], rule)
    if (fact !== undefined) told[name] = fact
  }
  return told
}

function factOf(value: unknown, rule: Rule): Fact | undefined {
  if (typeof rule === 'object') return typeof value === 'object' && value ? facts(value, rule) : undefined
  if (rule === 'number') return typeof value === 'number' ? value : undefined
  if (rule === 'truth') return typeof value === 'boolean' ? value : undefined
  if (typeof value !== 'string') return undefined
  if (rule === 'word') return wordOr(value, 'other')
  if (rule === 'path') return PATH.test(value) ? value : 'other'
  return value.split(' ').every((word) => word.length <= 80) ? value : 'other'
}

/** Names of states alone, in objects of its own. */
function structuredValue(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, structuredValue(inner)]))
}
