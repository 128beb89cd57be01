import { heapUsed } from '../heap.ts'
import { pause } from '../scoreboard/scenario.ts'
import type { Peer } from '../scoreboard/types.ts'
import { inOrder, isShared, type Opened, openPeer } from './contestants.ts'

export interface SessionCost {
  readonly peer: string
  /** Bytes of heap that one idle, signed-in session holds, with its client. `undefined`: one session for each process. */
  readonly bytesEach: number | undefined
}

const SESSIONS = 1_000

/** Weighs many sessions in one process, as on a server that keeps one for each user. */
export async function measureSessions(): Promise<SessionCost[]> {
  const results: SessionCost[] = []
  for (const peer of inOrder) {
    if (isShared(peer)) {
      results.push({ peer: peer.name, bytesEach: undefined })
      continue
    }
    await weigh(peer, 50)
    results.push({ peer: peer.name, bytesEach: await weigh(peer, SESSIONS) })
  }
  return results
}

async function weigh(peer: Peer, sessions: number): Promise<number> {
  const all = new Array<Opened>(sessions)
  await pause()
  const before = heapUsed()
  for (let index = 0; index < sessions; index++) {
    const session = await openPeer(peer)
    // A session that has sent a request is complete.
    await session.client.request('/api/me')
    all[index] = session
  }
  await pause()
  const bytesEach = (heapUsed() - before) / sessions
  for (const { close } of all) close()
  return bytesEach
}
