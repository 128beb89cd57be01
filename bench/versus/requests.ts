import { addedPerCall, median } from '../statistics.ts'
import { type ClientKind, clientOf } from './client-of.ts'
import { inOrder, type Opened, openBare, openPeer } from './contestants.ts'

export interface RequestCost {
  readonly peer: string
  /** Microseconds of one request with the client alone, and what the peer adds. */
  readonly bare: number
  readonly added: number
}

const CALLS = 200

/**
 * Measures what each library adds to one request of a signed-in session. All of them, and the bare clients, take turns in each
 * round, and each round starts with another one. What is compared are neighbouring rounds.
 */
export async function measureRequests(rounds: number): Promise<RequestCost[]> {
  const sessions: (Opened & { readonly name: string; readonly kind: ClientKind })[] = []
  for (const peer of inOrder)
    sessions.push({ name: peer.name, kind: clientOf(peer), ...(await openPeer(peer)) })
  const contestants = [
    ...(['fetch', 'axios'] as const).map((kind) => ({ name: kind as string, client: openBare(kind) })),
    ...sessions,
  ]
  const times = new Map(contestants.map(({ name }) => [name, [] as number[]]))
  const repeat = async ({
    request,
  }: {
    readonly request: (typeof sessions)[number]['client']['request']
  }) => {
    for (let call = 0; call < CALLS; call++) {
      const { status } = await request('/api/me', {
        headers: { accept: 'application/json', 'x-request-id': 'a1b2c3' },
      })
      if (status !== 200) throw new Error(`Answered ${status}`)
    }
  }
  const round = async (index: number, record: boolean) => {
    for (let turn = 0; turn < contestants.length; turn++) {
      // Forth and back, so that each one has both neighbours.
      const at = index % 2 ? contestants.length - 1 - turn : turn
      const { name, client } = contestants[(at + (index >> 1)) % contestants.length]!
      const startedAt = process.hrtime.bigint()
      await repeat(client)
      if (record) times.get(name)?.push(Number(process.hrtime.bigint() - startedAt))
    }
  }
  for (let index = 0; index < Math.ceil(rounds / 5); index++) await round(index, false)
  for (let index = 0; index < rounds; index++) await round(index, true)

  const results = sessions.map(({ name, kind }) => {
    const bare = times.get(kind) ?? []
    return {
      peer: name,
      bare: median(bare) / CALLS / 1000,
      added: addedPerCall(bare, times.get(name) ?? [], CALLS) / 1000,
    }
  })
  for (const { close } of sessions) close()
  return results
}
