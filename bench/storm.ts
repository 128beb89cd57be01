import { createAuth, type TokenResponse } from '../src/index.ts'
import { createAuthFetch } from '../src/transports/fetch.ts'
import { heapUsed } from './heap.ts'
import { growthExponent, median } from './statistics.ts'

const ORIGIN = 'https://api.example.com'

export interface Storm {
  readonly held: number
  /** Milliseconds from the new token to the last answer. */
  readonly drainedIn: number
  readonly bytesEach: number
}

/** Holds many requests behind one refresh, weighs them, and measures the time from the new token to the last answer. */
export async function measureStorms(): Promise<{ storms: Storm[]; exponent: number }> {
  const storms: Storm[] = []
  for (const held of [100, 1_000, 10_000, 50_000]) {
    const rounds: { drainedIn: number; bytesEach: number }[] = []
    for (let round = 0; round < 9; round++) rounds.push(await storm(held))
    storms.push({
      held,
      drainedIn: median(rounds.map(({ drainedIn }) => drainedIn)),
      bytesEach: median(rounds.map(({ bytesEach }) => bytesEach)),
    })
  }
  // Below 1,000 the fixed cost of a refresh hides how the time grows with the queue.
  const exponent = growthExponent(
    storms.filter(({ held }) => held >= 1_000).map((s) => [s.held, s.drainedIn]),
  )
  return { storms, exponent }
}

async function storm(held: number): Promise<{ drainedIn: number; bytesEach: number }> {
  const response = new Response(null, { status: 204 })
  let answerRefresh: (response: TokenResponse) => void = () => {}
  const answer = new Promise<TokenResponse>((resolve) => {
    answerRefresh = resolve
  })
  using auth = createAuth({
    refresh: () => answer,
    initialTokens: { access_token: 'at-1', refresh_token: 'rt-1', expires_in: 0 },
  })
  await auth.ready()
  const authFetch = createAuthFetch(auth, { fetch: () => Promise.resolve(response), origins: [ORIGIN] })

  const requests = new Array<Promise<Response>>(held)
  const before = heapUsed()
  for (let i = 0; i < held; i++) requests[i] = authFetch(`${ORIGIN}/me`)
  await Promise.resolve()
  const bytesEach = (heapUsed() - before) / held

  const startedAt = process.hrtime.bigint()
  answerRefresh({ access_token: 'at-2', refresh_token: 'rt-2', expires_in: 3600 })
  await Promise.all(requests)
  return { drainedIn: Number(process.hrtime.bigint() - startedAt) / 1e6, bytesEach }
}
