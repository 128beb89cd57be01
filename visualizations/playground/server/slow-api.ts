import type { TokenServerRoute } from 'authchart/testing'
import { pause } from './pause.ts'

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
    await pause(latencyOf(pathname), request.signal)
    return Response.json({ path: pathname, subject, generation })
  },
}
