import type { BenchAuth, BenchOptions } from './bench.ts'
import type { Answer, Client } from './client.ts'
import type { SetUp, TransportBench } from './run-scenario.ts'
import { deferred, nextEvent, sooner } from './waits.ts'

/** A session whose gate is closed: a 401 has set a refresh going, which waits until it is let through. */
export interface ClosedGate {
  readonly bench: TransportBench
  readonly auth: BenchAuth
  readonly client: Client
  /** The request whose 401 closed the gate. */
  readonly first: Promise<Answer>
  /** Lets the refresh through to the token endpoint. */
  open(): void
  /** Whether the refresh that is under way was told to stop. */
  refreshAborted(): boolean
}

export const closeGate = async (setUp: SetUp, options: BenchOptions = {}): Promise<ClosedGate> => {
  const bench = await setUp()
  const door = deferred()
  let aborted = false
  const auth = await bench.signedIn({
    ...options,
    refresh: async (request) => {
      request.signal.addEventListener('abort', () => {
        aborted = true
      })
      await door.promise
      return bench.refresh(request)
    },
  })
  const client = bench.connect(auth)
  bench.server.expireAccessTokens()
  const held = nextEvent(auth, 'requestHeld')
  const first = client.get('/api/first')
  await sooner([held], [first])
  return { bench, auth, client, first, open: door.resolve, refreshAborted: () => aborted }
}
