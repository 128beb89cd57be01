import { type Challenge, readChallenge } from '../core/challenge.ts'

/**
 * What an answer asks for: as its header says, or as the user's `isChallenge` does. A step-up is recognised before that is
 * asked, for no refresh can give it.
 */
export function judge<Answer>(
  answer: Answer,
  status: number,
  wwwAuthenticate: string | null | undefined,
  isChallenge: ((answer: Answer) => boolean | Promise<boolean>) | undefined,
): Challenge | undefined | Promise<Challenge | undefined> {
  const challenge = readChallenge(status, wwwAuthenticate)
  if (!isChallenge || (challenge && challenge !== 'renew')) return challenge
  const verdict = isChallenge(answer)
  return verdict instanceof Promise ? verdict.then(asChallenge) : asChallenge(verdict)
}

const asChallenge = (verdict: boolean): Challenge | undefined => (verdict ? 'renew' : undefined)
