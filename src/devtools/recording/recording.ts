import type { AuthEmitted } from '../../../machines/index.ts'
import { emittedFacts } from '../../inspect/facts.ts'
import type { Fact } from '../../inspect/frames.ts'
import type { Lane } from './lane.ts'
import { type Moment, momentOf } from './moment.ts'

/** What was seen of a session, in the order in which it happened. */
export interface Recording {
  readonly name: string
  readonly moments: readonly Moment[]
  readonly lanes: readonly Lane[]
}

/** What a file begins with, so that it is known for what it is. */
const FORMAT = 'authchart-recording'
const VERSION = 1

/** A recording as JSON, to be kept or sent to somebody. There is no secret in it. */
export function writeRecording({ name, moments, lanes }: Recording): string {
  return JSON.stringify({ format: FORMAT, version: VERSION, name, moments, lanes }, undefined, 1)
}

/**
 * Reads what `writeRecording` wrote, or the JSON of an `auth.history`.
 *
 * @throws TypeError where it is neither
 */
export function readRecording(text: string, name: string): Recording {
  const found = parse(text)
  if (Array.isArray(found)) return { name, moments: recall(found), lanes: [] }
  if (!isObject(found) || found.format !== FORMAT)
    throw new TypeError(`${name} is no recording of a session.`)
  if (found.version !== VERSION)
    throw new TypeError(`${name} was written by another version of authchart (${String(found.version)}).`)
  const { moments, lanes } = found
  if (!Array.isArray(moments) || !moments.every(isMoment) || !Array.isArray(lanes) || !lanes.every(isLane))
    throw new TypeError(`${name} is damaged: something in it is no moment of a session.`)
  return { name, moments, lanes }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new TypeError('The file is not JSON.', { cause })
  }
}

/** What the session told, one after another: how the chart stood each time follows from it. */
function recall(history: readonly unknown[]): Moment[] {
  const moments: Moment[] = []
  for (const event of history) {
    if (!isObject(event) || typeof event.type !== 'string' || typeof event.at !== 'number')
      throw new TypeError('The file is damaged: something in it is no event of a session.')
    moments.push(momentOf(emittedFacts(event as unknown as AuthEmitted), event.at, moments.at(-1)))
  }
  return moments
}

type Found = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is Found => typeof value === 'object' && value !== null
const isText = (value: unknown) => typeof value === 'string'
const isNumber = (value: unknown) => Number.isFinite(value)
const isOptional = (value: unknown, is: (value: unknown) => boolean) => value === undefined || is(value)

const isFact = (value: unknown): value is Fact =>
  isObject(value)
    ? Object.values(value).every(isFact)
    : ['string', 'number', 'boolean'].includes(typeof value)

const isMoment = (value: unknown): value is Moment =>
  isObject(value) &&
  isNumber(value.at) &&
  isNumber(value.seenAt) &&
  (value.source === 'told' || value.source === 'chart') &&
  isText(value.type) &&
  isObject(value.facts) &&
  isFact(value.facts) &&
  Array.isArray(value.active) &&
  value.active.every(isText) &&
  isSession(value.session)

const isSession = (value: unknown) =>
  isObject(value) &&
  [value.epoch, value.generation, value.held].every(isNumber) &&
  [value.attempt, value.expiresAt, value.renewAt].every((fact) => isOptional(fact, isNumber)) &&
  [value.reason, value.scope].every((fact) => isOptional(fact, isText))

const PHASES: readonly unknown[] = ['sent', 'held', 'replayed']
const OUTCOMES: readonly unknown[] = [undefined, 'done', 'rejected']

const isLane = (value: unknown): value is Lane =>
  isObject(value) &&
  [value.id, value.startedAt].every(isNumber) &&
  [value.name, value.origin].every(isText) &&
  [value.endedAt, value.status].every((fact) => isOptional(fact, isNumber)) &&
  isOptional(value.reason, isText) &&
  OUTCOMES.includes(value.outcome) &&
  Array.isArray(value.phases) &&
  value.phases.every(
    (phase: unknown) => isObject(phase) && PHASES.includes(phase.phase) && isNumber(phase.at),
  )
