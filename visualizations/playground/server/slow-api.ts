import { setTimeout as wait } from 'node:timers/promises'
import type { TokenServerRoute } from 'authchart/testing'

const FASTEST = 60
const SLOWEST = 360

/** Returns the latency of a path, in milliseconds. It is constant per path, and differs between paths so that bars differ. */
export function latencyOf(path: string): number {
  let hash = 0
  for (const letter of path) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) >>> 0
  // Scatters paths that differ only in the last letter.
  return FASTEST + ((Math.imul(hash, 2_654_435_761) >>> 8) % (SLOWEST - FASTEST + 1))
}

/** An API with a latency for each path. */
export const slowApi: TokenServerRoute = {
  async handler(request, { subject, generation }) {
    const { pathname } = new URL(request.url)
    await wait(latencyOf(pathname), undefined, { signal: request.signal, ref: false })
    return Response.json({ path: pathname, subject, generation })
  },
}
