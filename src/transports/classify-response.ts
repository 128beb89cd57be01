import { isPromiseLike } from '../core/platform/promise-like.ts'
import { type Challenge, readChallenge } from '../core/requests/challenge.ts'

/**
 * What a response asks for, according to its `WWW-Authenticate` header or to the user's `isChallenge`. A step-up challenge
 * is recognised before `isChallenge` is called, because no refresh can satisfy it.
 */
export function classifyResponse<Answer>(
  answer: Answer,
  status: number,
  wwwAuthenticate: string | null | undefined,
  isChallenge: ((answer: Answer) => boolean | Promise<boolean>) | undefined,
): Challenge | undefined | Promise<Challenge | undefined> {
  const challenge = readChallenge(status, wwwAuthenticate)
  if (!isChallenge || (challenge && challenge !== 'refresh')) return challenge
  const verdict = isChallenge(answer)
  return isPromiseLike(verdict) ? Promise.resolve(verdict).then(toChallenge) : toChallenge(verdict)
}

const toChallenge = (isChallenge: boolean): Challenge | undefined => (isChallenge ? 'refresh' : undefined)
