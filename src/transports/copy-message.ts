import { isObject } from '../core/platform/is-object.ts'

/**
 * Copies a message of a remote call, because the caller may use its object for the next one. What is no plain data and no message
 * of a known kind is not copied.
 */
export function copyMessage<T>(message: T): T {
  if (!isObject(message)) return message
  // A Node Buffer has a `slice` of its own, which copies nothing.
  if (message instanceof Uint8Array) return Uint8Array.prototype.slice.call(message) as T
  if (Array.isArray(message)) return message.map(copyMessage) as T
  // Of google-protobuf.
  if (typeof message.cloneMessage === 'function') return message.cloneMessage()
  const type = Object.getPrototypeOf(message)
  if (type !== null && type !== Object.prototype && !('$typeName' in message)) return message
  // Spread, because a map may have the key `__proto__`.
  const copy = type === Object.prototype ? { ...message } : Object.assign(Object.create(type), message)
  for (const name of Object.keys(copy)) copy[name] = copyMessage(copy[name])
  return copy
}
