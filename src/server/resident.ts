import type { AuthEmitted } from '../../machines/emitted.ts'
import type { Auth } from '../core/auth.ts'
import type { FleetStore } from './fleet-store.ts'

/** A session that this process holds. */
export class Resident {
  readonly key: string
  /** The key in the fleet. */
  readonly hash: string
  readonly auth: Auth<never, unknown>
  readonly store: FleetStore
  /** How many tasks use it. */
  uses = 0
  /** When a use began or ended last, in milliseconds since the Unix epoch. */
  usedAt: number
  /** When its session ended. */
  endedAt: number | undefined

  constructor(key: string, hash: string, auth: Auth<never, unknown>, store: FleetStore, now: number) {
    this.key = key
    this.hash = hash
    this.auth = auth
    this.store = store
    this.usedAt = now
  }

  /** Whether nothing is lost or interrupted if this process forgets it: what is stored is all that there is. */
  get mayLeave(): boolean {
    return this.uses === 0 && !this.store.isBehind && this.auth.state === 'authenticated'
  }

  /** Whether an answer of the token endpoint may come, or waits to be stored. */
  get isBusy(): boolean {
    const isRequesting = this.auth.actor.getSnapshot().matches({ refreshing: { attempt: 'requesting' } })
    return isRequesting || (this.store.isBehind && this.auth.session !== undefined)
  }
}

/** Whether a session has ended with that event. */
export const isEnd = ({ type }: AuthEmitted): boolean => type === 'expired' || type === 'signedOut'
