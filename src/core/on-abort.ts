import type { AbortSignalLike } from './ports.ts'

/** Those who listen to each signal. */
const listening = /* @__PURE__ */ new WeakMap<
  AbortSignalLike,
  { leaves: Set<() => void>; tell: () => void }
>()

/**
 * Calls `leave` when the signal aborts; returns the way to stop. However many wait under one signal, it has one listener:
 * Node takes the eleventh for a leak, and says so.
 */
export function onAbort(signal: AbortSignalLike, leave: () => void): () => void {
  let group = listening.get(signal)
  if (!group) {
    const leaves = new Set<() => void>()
    const tell = () => {
      for (const each of leaves) each()
    }
    group = { leaves, tell }
    listening.set(signal, group)
    signal.addEventListener('abort', tell)
  }
  const { leaves, tell } = group
  leaves.add(leave)
  return () => {
    leaves.delete(leave)
    if (leaves.size > 0 || listening.get(signal)?.leaves !== leaves) return
    signal.removeEventListener('abort', tell)
    listening.delete(signal)
  }
}
