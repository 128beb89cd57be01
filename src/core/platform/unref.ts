/** Lets a Node process end while this timer or channel is active. Returns the handle. */
export function unref<T>(handle: T): T {
  ;(handle as { unref?: () => void } | undefined)?.unref?.()
  return handle
}
