import { createAuth, type TokenResponse } from '../src/index.ts'
import { createAuthFetch } from '../src/transports/fetch.ts'
import { growthExponent, median } from './statistics.ts'

const ORIGIN = 'https://api.example.com'

export interface Storm {
  readonly held: number
  /** Milliseconds from the new token to the last answer. */
  readonly drainedIn: number
  readonly bytesEach: number
}

/** Holds many requests behind one refresh, weighs them, lets them go and waits for the last answer. */
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
  // Below a thousand the fixed cost of a refresh hides how the queue grows.
  const exponent = growthExponent(
    storms.filter(({ held }) => held >= 1_000).map((s) => [s.held, s.drainedIn]),
  )
  return { storms, exponent }
}

async function storm(held: number): Promise<{ drainedIn: number; bytesEach: number }> {
  const response = new Response(null, { status: 204 })
  let renew: (response: TokenResponse) => void = () => {}
  const answer = new Promise<TokenResponse>((resolve) => {
    renew = resolve
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

  const began = process.hrtime.bigint()
  renew({ access_token: 'at-2', refresh_token: 'rt-2', expires_in: 3600 })
  await Promise.all(requests)
  return { drainedIn: Number(process.hrtime.bigint() - began) / 1e6, bytesEach }
}

function heapUsed(): number {
  if (!globalThis.gc)
    throw new Error('The bench weighs the heap: run it with node --expose-gc, as npm run bench does.')
  globalThis.gc()
  return process.memoryUsage().heapUsed
}
