import type { AccessTokenOptions } from '../auth.ts'
import { OwnClientError, SignedOutError } from '../errors.ts'
import { abortReason } from '../platform/abort-reason.ts'
import type { Clock } from '../ports.ts'
import type { Vault } from '../session/vault.ts'
import type { Gate } from './gate.ts'

/** `auth.getAccessToken`: waits as a request would, and returns the token that a request would carry. */
export async function accessToken(
  gate: Gate,
  vault: Vault,
  clock: Clock,
  options: AccessTokenOptions,
): Promise<string | undefined> {
  const { minValidity = 0, allowAnonymous = false, signal } = options
  if (signal?.aborted) throw abortReason(signal)
  let credential = gate.authorize()
  // The function that replaces a token may use it while it works, but must not wait for itself.
  if (!credential && gate.calls.isCalling) throw new OwnClientError()
  while (!credential) {
    const slot = await gate.hold({ signal })
    slot.release()
    // The gate may have closed again since the call was released.
    if (gate.admits(slot.credential)) credential = slot.credential
    else {
      gate.assertServes(slot.credential)
      credential = gate.authorize()
    }
  }
  const { tokens } = vault
  if (credential.authorization !== undefined && minValidity > 0 && tokens?.expiresAt !== undefined) {
    // With more than a token can ever provide, every call would start a refresh.
    const wanted = Math.min(minValidity, (tokens.expiresAt - tokens.receivedAt) / 2)
    if (tokens.expiresAt - clock.now() < wanted) {
      await gate.refresh(options)
      gate.assertServes(credential)
    }
  }
  const token = vault.tokens?.accessToken
  if (token === undefined && !allowAnonymous) throw new SignedOutError()
  return token
}
