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
 * @throws TypeError where it is neither; it says nothing of what was found
 */
export function readRecording(text: string, name: string): Recording {
  const found = parse(text, name)
  if (Array.isArray(found)) return { name, moments: recall(found, name), lanes: [] }
  if (!isObject(found) || found.format !== FORMAT)
    throw new TypeError(`${name} is no recording of a session.`)
  if (found.version !== VERSION) throw new TypeError(`${name} was written by another version of authchart.`)
  const { moments, lanes } = found
  if (!isList(moments, isMoment) || !isList(lanes, isLane)) throw damaged(name)
  return { name, moments, lanes }
}

function parse(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new TypeError(`${name} is not JSON.`)
  }
}

const damaged = (name: string) =>
  new TypeError(`${name} is damaged: something in it is no moment of a session.`)

/** What the session told, one after another: how the chart stood each time follows from it. */
function recall(history: readonly unknown[], name: string): Moment[] {
  const moments: Moment[] = []
  for (const event of history) {
    if (!isEmitted(event)) throw damaged(name)
    moments.push(momentOf(emittedFacts(event), event.at, moments.at(-1)))
  }
  return moments
}

type Found = Readonly<Record<string, unknown>>
type Check<T = unknown> = (value: unknown) => value is T

const isObject: Check<Found> = (value): value is Found => typeof value === 'object' && value !== null
const isText: Check<string> = (value) => typeof value === 'string'
const isNumber: Check<number> = (value): value is number => Number.isFinite(value)
/** What a `Date` can hold. */
const isTime: Check<number> = (value): value is number => isNumber(value) && Math.abs(value) <= 8.64e15
const isList = <T>(value: unknown, is: Check<T>): value is T[] => Array.isArray(value) && value.every(is)
const isOptional = (value: unknown, is: Check) => value === undefined || is(value)

const isEmitted: Check<AuthEmitted> = (value): value is AuthEmitted =>
  isObject(value) &&
  isText(value.type) &&
  isTime(value.at) &&
  isNumber(value.epoch) &&
  isNumber(value.generation) &&
  (value.type !== 'transition' || (isText(value.from) && isText(value.to)))

/** As deep as the chart's own events go, and no deeper. */
const isFact = (value: unknown, depth = 3): value is Fact =>
  isObject(value)
    ? depth > 0 && Object.values(value).every((inner) => isFact(inner, depth - 1))
    : ['string', 'number', 'boolean'].includes(typeof value)

const isMoment: Check<Moment> = (value): value is Moment =>
  isObject(value) &&
  isTime(value.at) &&
  isTime(value.seenAt) &&
  (value.source === 'told' || value.source === 'chart') &&
  isText(value.type) &&
  isObject(value.facts) &&
  isFact(value.facts) &&
  isList(value.active, isText) &&
  isSession(value.session) &&
  isOptional(value.step, isNumber) &&
  isOptional(value.taken, (taken): taken is unknown => isList(taken, isTaken))

const isTaken: Check = (value): value is unknown =>
  isObject(value) && isText(value.source) && isText(value.target) && isText(value.event)

const isSession: Check = (value): value is unknown =>
  isObject(value) &&
  [value.epoch, value.generation, value.held].every(isNumber) &&
  isOptional(value.attempt, isNumber) &&
  [value.expiresAt, value.renewAt].every((time) => isOptional(time, isTime)) &&
  [value.reason, value.scope].every((words) => isOptional(words, isText))

const PHASES: readonly unknown[] = ['sent', 'held', 'replayed']
const OUTCOMES: readonly unknown[] = [undefined, 'done', 'rejected']

const isLane: Check<Lane> = (value): value is Lane =>
  isObject(value) &&
  isNumber(value.id) &&
  isTime(value.startedAt) &&
  [value.name, value.origin].every(isText) &&
  isOptional(value.endedAt, isTime) &&
  isOptional(value.status, isNumber) &&
  isOptional(value.reason, isText) &&
  OUTCOMES.includes(value.outcome) &&
  isList(value.phases, isPhase)

const isPhase: Check = (value): value is unknown =>
  isObject(value) && PHASES.includes(value.phase) && isTime(value.at)
