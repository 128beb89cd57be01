import type { AccessTokenOptions } from './auth.ts'
import { SignedOutError } from './errors.ts'
import type { Gate } from './gate.ts'
import type { Clock } from './ports.ts'
import type { Vault } from './vault.ts'

/** `auth.getAccessToken`: waits as a request would, and gives what a request would carry. */
export function createAccessToken({
  vault,
  gate,
  clock,
  nextGeneration,
}: {
  vault: Vault
  gate: Gate
  clock: Clock
  /** Renews, and waits for it. */
  nextGeneration: (wait: AccessTokenOptions) => Promise<void>
}) {
  return async function getAccessToken(wait: AccessTokenOptions = {}): Promise<string | undefined> {
    const { minValidity = 0, allowAnonymous = false, signal } = wait
    if (signal?.aborted) throw signal.reason
    let pass = gate.pass()
    if (!pass) {
      pass = await gate.hold({ signal })
      gate.done()
      if (!gate.admits(pass)) {
        gate.resume(pass)
        return getAccessToken(wait)
      }
    }
    const { tokens } = vault
    if (pass.authorization !== undefined && minValidity > 0 && tokens?.expiresAt !== undefined) {
      // Asked for more than a token can ever give, every call would renew.
      const wanted = Math.min(minValidity, (tokens.expiresAt - tokens.receivedAt) / 2)
      if (tokens.expiresAt - clock.now() < wanted) await nextGeneration(wait)
    }
    const accessToken = vault.tokens?.accessToken
    if (accessToken === undefined && !allowAnonymous) throw new SignedOutError()
    return accessToken
  }
}
