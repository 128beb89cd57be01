import type { CoordinatorMessage } from '../core/ports.ts'

const isText = (value: unknown) => typeof value === 'string'
const isNumber = (value: unknown): value is number => Number.isFinite(value)

/** What may come along with a message, and what it must be. A field that is not named here is not passed on. */
const EXTRAS: {
  readonly [F in Exclude<keyof CoordinatorMessage, 'type' | 'epoch' | 'generation'>]: (
    value: unknown,
  ) => boolean
} = { reason: isText, session: isText }

/**
 * A message as it may cross from one tab or process to another: the fields it is known by, and nothing else. `undefined`
 * for whatever is no message, such as what other code says under the same name.
 */
export function readMessage(value: unknown): CoordinatorMessage | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { type, epoch, generation, ...said } = value as Record<string, unknown>
  if (type !== 'changed' && type !== 'ended') return undefined
  if (!isNumber(epoch) || !isNumber(generation)) return undefined
  const extras: Record<string, unknown> = {}
  for (const [field, is] of Object.entries(EXTRAS)) if (is(said[field])) extras[field] = said[field]
  return { type, epoch, generation, ...extras }
}
