import { compareUsers } from '../../../machines/policies.ts'
import { SignedOutError } from '../errors.ts'
import { Revocation } from './revocation.ts'
import type { SessionParts } from './sharing.ts'
import { parseTokenResponse, type Tokens } from './token-response.ts'

/**
 * Goes on with the tokens of another sign-in of the same user, as if a refresh had brought them: the session stays the same
 * here, in other tabs and in the store.
 *
 * @param epoch the session that the user was asked in
 * @throws SignedOutError if the session has ended meanwhile, or the tokens are not known to be of its user
 * @throws InvalidTokenResponseError
 */
export async function continueSession(
  { kernel, vault, sharing }: SessionParts,
  epoch: number,
  response: unknown,
): Promise<void> {
  const { mailbox } = kernel
  await kernel.proofKey?.load()
  const answer = parseTokenResponse(response, kernel, true)
  try {
    assertSameUser()
    const turns = sharing.branches ?? sharing
    // No refresh runs meanwhile: its answer would replace these tokens.
    const isWanted = () => vault.epoch === epoch && vault.tokens !== undefined
    await turns.withLock({ run: commit, isWanted })
  } catch (error) {
    // Some servers give one grant to both sign-ins: to revoke the tokens would end the session that goes on.
    const isOver = vault.epoch !== epoch || !vault.tokens
    const isForeign = error instanceof SignedOutError && error.reason !== 'superseded'
    new Revocation(kernel, vault, sharing).discard(answer, isOver || isForeign, epoch)
    throw error
  }

  async function commit(): Promise<void> {
    const newer = await sharing.reload()
    if (newer) mailbox.send({ type: 'tokens.received', ...newer })
    const tokens = assertSameUser()
    vault.refresh(vault.mark(), tokens)
    const mark = vault.mark()
    const stored = sharing.persist(true)
    if (stored) await stored
    if (!vault.isCurrent(mark)) throw new SignedOutError({ reason: 'superseded' })
    // What is announced must be true for the next page.
    mailbox.send({ type: 'tokens.received', facts: vault.publish(), refreshed: true })
    // Under the lock still: a tab that waits for it must find these tokens in the store.
    await sharing.idle()
  }

  /** Returns the tokens with what the answer leaves out. */
  function assertSameUser(): Tokens {
    const held = vault.epoch === epoch ? vault.tokens : undefined
    if (!held) throw new SignedOutError({ reason: 'signed_out' })
    const users = compareUsers(held.user, answer.user)
    if (users === 'another') throw new SignedOutError({ reason: 'user_changed' })
    if (users === 'unknown' && !kernel.settings.singleUser)
      throw new SignedOutError({ reason: 'user_unknown' })
    return parseTokenResponse(response, kernel, true, held)
  }
}
