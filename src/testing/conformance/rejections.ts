import { settled } from '../virtual-clock.ts'

/** The part of Node's `process` that reports unhandled rejections. */
interface Process {
  on(type: 'unhandledRejection', listener: (reason: unknown) => void): unknown
  off(type: 'unhandledRejection', listener: (reason: unknown) => void): unknown
}

/**
 * Collects unhandled rejections, in a runtime whose `process` reports them.
 *
 * @returns stops, and resolves with the collected reasons
 */
export const watchRejections = (): (() => Promise<unknown[]>) => {
  const { process } = globalThis as { readonly process?: Partial<Process> }
  if (!process?.on || !process.off) return async () => []
  const unhandled: unknown[] = []
  const collect = (reason: unknown) => unhandled.push(reason)
  process.on('unhandledRejection', collect)
  return async () => {
    // Node reports them once all microtasks have run, so two turns of the event loop are enough.
    await settled()
    await settled()
    process.off?.('unhandledRejection', collect)
    return unhandled
  }
}
