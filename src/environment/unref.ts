/** Lets a Node process end while this timer or channel is active. In browsers it does nothing. Returns the handle. */
export function unref<T>(handle: T): T {
  ;(handle as { unref?: () => void }).unref?.()
  return handle
}
