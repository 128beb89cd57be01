import type { Kernel } from '../kernel.ts'
import { Abandoned } from '../platform/bounded-work.ts'
import type { BranchRequest, Signal, TokenResponse } from '../ports.ts'
import { unwrapResponse } from './failure.ts'
import { Revocation } from './revocation.ts'
import type { SessionParts } from './sharing.ts'
import { refreshTokenOf, type Tokens } from './token-response.ts'
import type { Mark } from './vault.ts'

type Rotated = NonNullable<ReturnType<typeof refreshTokenOf>>

/**
 * The `refresh` function of a branch: presents the refresh token of its session, in the turn that the branch has. If the answer
 * has another refresh token, the session stores it before the turn ends, and the branch never sees it.
 */
export const branchRefresh =
  (session: SessionParts, branch: BranchRequest): Kernel['options']['refresh'] =>
  async () => {
    const { kernel, vault, sharing } = session
    const { options, settings, work, clock } = kernel
    const mark = vault.mark()
    const { refreshToken, scope, idToken } = vault.tokens ?? {}
    const call = async (signal: Signal) =>
      unwrapResponse(await options.refresh({ refreshToken, scope, idToken, signal, branch }), signal)
    const isKept = sharing.restores || vault.isInCookie
    const called = work.run(call, settings.timeouts.refresh, isKept)
    const answer = (await called.catch(lateAnswer)) as TokenResponse
    const rotated = refreshTokenOf(answer, clock.now())
    if (rotated && rotated.refreshToken !== refreshToken) await keep(session, mark, refreshToken, rotated)
    return { ...answer, refresh_token: undefined, refreshToken: undefined }
  }

/** The answer may still come: the branch has a time limit of its own, and knows what to do with a late one. */
function lateAnswer(error: unknown): Promise<unknown> {
  if (!(error instanceof Abandoned)) throw error
  return error.result
}

/** The refresh token is in one place: the session takes it, or it is discarded. */
async function keep(
  { kernel, vault, sharing }: SessionParts,
  mark: Mark,
  sent: string | undefined,
  rotated: Rotated,
): Promise<void> {
  const { tokens } = vault
  const discard = (sessionEnded: boolean) =>
    new Revocation(kernel, vault, sharing).discard(
      { ...(tokens as Tokens), accessToken: undefined, ...rotated },
      sessionEnded,
      mark.epoch,
    )
  if (!tokens || vault.epoch !== mark.epoch) return discard(true)
  // A refresh of the session that had to go on without the lock was answered first.
  if (tokens.refreshToken !== sent) return discard(false)
  vault.amend({ ...rotated, rotation: tokens.rotation + 1 })
  // What another tab did meanwhile is the same as after a refresh of the session.
  if ((await sharing.persist(true)) === 'gone') discard(true)
  // Within the turn still: the next one must find this token in the store.
  await sharing.idle()
}
