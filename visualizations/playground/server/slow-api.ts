import { setTimeout as wait } from 'node:timers/promises'
import type { TokenServerRoute } from 'authchart/testing'

const FASTEST = 60
const SLOWEST = 360

/** How long a path takes, in milliseconds: always the same for the same path, so that lanes can be told apart. */
export function latencyOf(path: string): number {
  let hash = 0
  for (const letter of path) hash = (hash * 31 + (letter.codePointAt(0) ?? 0)) >>> 0
  // What differs in the last letter only should not be next to each other.
  return FASTEST + ((Math.imul(hash, 2_654_435_761) >>> 8) % (SLOWEST - FASTEST + 1))
}

/** An API that takes its time. */
export const slowApi: TokenServerRoute = {
  async handler(request, { subject, generation }) {
    const { pathname } = new URL(request.url)
    await wait(latencyOf(pathname), undefined, { signal: request.signal, ref: false })
    return Response.json({ path: pathname, subject, generation })
  },
}
