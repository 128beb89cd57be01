import type { AuthEmitted } from '../../../machines/index.ts'
import { emittedFacts } from '../../inspect/allow-list.ts'
import type { Fact } from '../../inspect/frames.ts'
import type { Lane } from './lane.ts'
import { type Moment, momentOf } from './moment.ts'

/** The moments and the requests of a session, in the order in which they happened. */
export interface Recording {
  readonly name: string
  readonly moments: readonly Moment[]
  readonly lanes: readonly Lane[]
}

/** Identifies the file format. */
const FORMAT = 'authchart-recording'
const VERSION = 1

/** Writes a recording as JSON, to save or to share. It contains no secrets. */
export function writeRecording({ name, moments, lanes }: Recording): string {
  return JSON.stringify({ format: FORMAT, version: VERSION, name, moments, lanes }, undefined, 1)
}

/**
 * Reads the JSON of `writeRecording`, or the JSON of `auth.history`.
 *
 * @throws TypeError if the text is neither. The message quotes nothing of the text, which may contain secrets
 */
export function readRecording(text: string, name: string): Recording {
  const found = parse(text, name)
  if (Array.isArray(found)) return { name, moments: recall(found, name), lanes: [] }
  if (!isObject(found) || found.format !== FORMAT)
    throw new TypeError(
      `${name} is not a recording. Choose a file that the panel exported, or the JSON of auth.history.`,
    )
  if (found.version !== VERSION)
    throw new TypeError(
      `${name} was written by another version of authchart. Export it again with this version.`,
    )
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
  new TypeError(`${name} is damaged: it contains something that is not a moment or a request.`)

/** Turns a history into moments. The active states follow from the transitions in it. */
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
/** Within the range of `Date`. */
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

/** Facts are at most as deep as the chart's own events. */
const isFact = (value: unknown, depth = 3): value is Fact =>
  isObject(value)
    ? depth > 0 && Object.values(value).every((inner) => isFact(inner, depth - 1))
    : ['string', 'number', 'boolean'].includes(typeof value)

const isMoment: Check<Moment> = (value): value is Moment =>
  isObject(value) &&
  isTime(value.at) &&
  isTime(value.seenAt) &&
  (value.source === 'emitted' || value.source === 'chart') &&
  isText(value.type) &&
  isObject(value.facts) &&
  isFact(value.facts) &&
  isList(value.active, isText) &&
  isSession(value.session) &&
  isOptional(value.step, isNumber) &&
  isOptional(value.transitions, (list): list is unknown => isList(list, isTransition))

const isTransition: Check = (value): value is unknown =>
  isObject(value) && isText(value.source) && isText(value.target) && isText(value.event)

const isSession: Check = (value): value is unknown =>
  isObject(value) &&
  [value.epoch, value.generation, value.held].every(isNumber) &&
  isOptional(value.attempt, isNumber) &&
  [value.expiresAt, value.refreshAt].every((time) => isOptional(time, isTime)) &&
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
