import type { Kernel } from '../kernel.ts'
import type { Turn } from '../ports.ts'
import { transientFailure } from './token-request.ts'
import type { Vault } from './vault.ts'

/** The turn of one attempt to refresh, as the attempt uses it. */
export interface GuardedTurn {
  /**
   * The last step before the refresh token leaves.
   *
   * @throws FailureCause if the turn was taken over, or the token may be spent and must not be sent again
   */
  present(vault: Vault): Promise<void>
  settle(): void
}

/** Whether a coordinator passed a turn. A simple lock may pass anything, such as the result of the task before. */
export const isTurn = (given: unknown): given is Turn =>
  typeof (given as Turn | undefined)?.present === 'function'

/**
 * The turn of an attempt.
 *
 * @param turn what a coordinator passed
 * @returns `undefined` for a simple lock, which gives no turn
 */
export function guardTurn({ settings, work }: Kernel, turn: unknown): GuardedTurn | undefined {
  if (!isTurn(turn)) return undefined
  return {
    async present({ tokens }) {
      const { id = '', rotation = 0 } = tokens ?? {}
      // Another process presented this token and vanished.
      if (turn.interrupted?.rotation === rotation && settings.ambiguousRefresh === 'expire')
        throw { ...transientFailure('ambiguous'), fatal: true }
      const isOurs = await work
        .run(() => turn.present({ id, rotation }), settings.timeouts.storage)
        .catch(() => false)
      if (!isOurs || !turn.holds()) throw transientFailure('lock_lost')
    },
    settle: () => turn.settle(),
  }
}
