import type { CoordinatorMessage } from '../core/ports.ts'

const isText = (value: unknown) => typeof value === 'string'
const isNumber = (value: unknown): value is number => Number.isFinite(value)

/** Checks for the optional fields of a message. Fields that are not listed here are dropped. */
const OPTIONAL_FIELDS: {
  readonly [F in Exclude<keyof CoordinatorMessage, 'type' | 'epoch' | 'generation'>]: (
    value: unknown,
  ) => boolean
} = { reason: isText, session: isText }

/**
 * Copies the known fields of a message, so that no other data crosses from one tab or process to another.
 *
 * @returns the message, or `undefined` for any other value, such as data that other code posts under the same name
 */
export function readMessage(value: unknown): CoordinatorMessage | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { type, epoch, generation, ...rest } = value as Record<string, unknown>
  if (type !== 'changed' && type !== 'ended') return undefined
  if (!isNumber(epoch) || !isNumber(generation)) return undefined
  const optional: Record<string, unknown> = {}
  for (const [field, isValid] of Object.entries(OPTIONAL_FIELDS))
    if (isValid(rest[field])) optional[field] = rest[field]
  return { type, epoch, generation, ...optional }
}
