import type { Harness, HarnessAuth, HarnessOptions } from './harness.ts'
import { begun, deferred, nextEvent, sooner } from './waits.ts'

interface GetClient {
  get(path: string): Promise<unknown>
}

interface ConnectedHarness<Client extends GetClient>
  extends Pick<Harness, 'server' | 'signedIn' | 'refresh'> {
  /** A client over the session. */
  connect(auth: HarnessAuth): Client
}

/** A session whose gate is closed: a 401 has started a refresh, which waits until `open()`. */
export interface ClosedGate<Client extends GetClient> {
  readonly auth: HarnessAuth
  readonly client: Client
  /** The request whose 401 closed the gate. */
  readonly first: ReturnType<Client['get']>
  /** Lets the refresh continue to the token endpoint. */
  open(): void
  /** Whether the signal of the pending refresh was aborted. */
  refreshAborted(): boolean
}

/**
 * Signs in and closes the gate of the session.
 *
 * @param options more options for the session
 */
export const closeGate = async <Client extends GetClient>(
  harness: ConnectedHarness<Client>,
  options: HarnessOptions = {},
): Promise<ClosedGate<Client>> => {
  const opened = deferred()
  let isAborted = false
  const auth = await harness.signedIn({
    ...options,
    refresh: async (request) => {
      request.signal.addEventListener('abort', () => {
        isAborted = true
      })
      await opened.promise
      return harness.refresh(request)
    },
  })
  const client = harness.connect(auth)
  harness.server.expireAccessTokens()
  const held = nextEvent(auth, 'requestHeld')
  const first = begun(client.get('/api/first')) as ReturnType<Client['get']>
  await sooner([held], [first])
  return { auth, client, first, open: opened.resolve, refreshAborted: () => isAborted }
}
