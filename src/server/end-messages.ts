import type { Lineage } from '../../machines/policies.ts'
import type { CoordinatorMessage } from '../core/ports.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { fleetMemory } from './fleet-memory.ts'
import type { StoreWorld } from './store-world.ts'

type World = Pick<StoreWorld, 'fleet' | 'clock'>

/** How long late tokens of a session that ended without revocation are not revoked, in milliseconds. */
const LIFETIME = 86_400_000

/** The message that a session has ended without revocation: late tokens of a refresh are not revoked either. */
export const SPARED = messageOf({ id: '', rotation: 0, startedAt: Number.MAX_SAFE_INTEGER }, { spares: true })

/** The message that the user has signed out of all sessions that started before. */
export const endBefore = (startedAt: number): string =>
  messageOf({ id: '', rotation: 0, startedAt: Math.min(startedAt, Number.MAX_SAFE_INTEGER) })

/** Sends the message that a session has ended. A process that it does not reach finds the session missing. */
export const publishEnd = (fleet: Fleet, key: string, ended: Lineage): Promise<void> =>
  publish(fleet, key, messageOf(ended))

/** Sends `SPARED`. A process that it does not reach asks `isSpared`. */
export async function publishSpared({ fleet, clock }: World, key: string): Promise<void> {
  const remembered = fleetMemory(fleet, clock).remember(nameOf(key), LIFETIME)
  await Promise.all([publish(fleet, key, SPARED), remembered.catch(() => {})])
}

/** Whether the session of a key has ended without revocation. */
export const isSpared = ({ fleet, clock }: World, key: string): Promise<boolean> =>
  fleetMemory(fleet, clock)
    .isRemembered(nameOf(key))
    .catch(() => false)

const nameOf = (key: string) => `spared ${key}`

const publish = (fleet: Fleet, key: string, message: string) => fleet.publish(key, message).catch(() => {})

function messageOf({ id, rotation, startedAt }: Lineage, more: Partial<CoordinatorMessage> = {}): string {
  const ended = { type: 'ended', reason: 'signed_out', session: id, rotation, startedAt } as const
  return JSON.stringify({ ...ended, epoch: 0, generation: 0, ...more } satisfies CoordinatorMessage)
}
