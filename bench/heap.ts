/** Bytes of heap in use after a garbage collection. */
export function heapUsed(): number {
  if (!globalThis.gc)
    throw new Error('The bench weighs the heap: run it with node --expose-gc, as npm run bench does.')
  globalThis.gc()
  return process.memoryUsage().heapUsed
}
