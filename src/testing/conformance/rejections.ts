import { settled } from '../virtual-clock.ts'

/** The part of Node's `process` that tells of rejections nobody handled. */
interface Process {
  on(type: 'unhandledRejection', listener: (reason: unknown) => void): unknown
  off(type: 'unhandledRejection', listener: (reason: unknown) => void): unknown
}

/**
 * Collects the rejections that nobody handles, where there is a `process` that tells of them.
 *
 * @returns the way to stop, which resolves to what was collected
 */
export const watchRejections = (): (() => Promise<unknown[]>) => {
  const { process } = globalThis as { readonly process?: Partial<Process> }
  if (!process?.on || !process.off) return async () => []
  const unhandled: unknown[] = []
  const collect = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', collect)
  return async () => {
    // Node tells of them once the microtasks have run dry, so two turns of the loop are enough.
    await settled()
    await settled()
    process.off?.('unhandledRejection', collect)
    return unhandled
  }
}
