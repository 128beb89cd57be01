/**
 * Waits. In Node, the timer does not keep the process alive.
 *
 * @param ms in milliseconds
 * @param signal ends the wait: it rejects with the reason
 */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const timer: unknown = setTimeout(() => {
      signal.removeEventListener('abort', stop)
      resolve()
    }, ms)
    const stop = () => {
      clearTimeout(timer as number)
      reject(signal.reason)
    }
    signal.addEventListener('abort', stop, { once: true })
    ;(timer as { unref?(): void }).unref?.()
  })
}
