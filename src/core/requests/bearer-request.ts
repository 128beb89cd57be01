import { type AuthHandle, REQUEST_GATE } from '../auth.ts'
import { OwnClientError } from '../errors.ts'
import { createAbortController } from '../platform/globals.ts'
import { explainAnonymous } from '../platform/hints.ts'
import type { Credential } from '../session/vault.ts'
import type { Challenge, StepUp } from './challenge.ts'
import type { Gate, Slot } from './gate.ts'
import type { BearerRequest } from './transport-request.ts'

/**
 * The replay algorithm, the same for every transport: send with the current token; after a 401 wait for a newer one and
 * send once more; return the second 401.
 *
 * @param auth the session
 * @param request how to send the request and how to read its answer
 * @returns the answer, as the transport would have given it
 * @throws SessionExpiredError, SignedOutError, RefreshUnavailableError, HoldTimeoutError, QueueFullError, DisposedError
 * @throws OwnClientError if `refresh`, `signIn` or `revoke` makes the request, which would wait for that function
 * @throws the reason of the caller's signal, at once, while the request is held
 *
 * @example
 * ```ts
 * const answer = await bearerRequest(auth, {
 *   send: (authorization) => client.get('/me', authorization ? { authorization } : {}),
 *   challenge: (answer) => (answer.status === 401 ? 'refresh' : undefined),
 *   replayable: true,
 *   key: () => 'GET /me',
 * })
 * ```
 */
export function bearerRequest<Answer>(auth: AuthHandle, request: BearerRequest<Answer>): Promise<Answer> {
  const gate = auth[REQUEST_GATE]
  const { watch } = gate
  return watch ? watch(request, (watched) => start(gate, watched)) : start(gate, request)
}

function start<Answer>(gate: Gate, given: BearerRequest<Answer>): Promise<Answer> {
  try {
    if (gate.calls.isCalling) throw new OwnClientError()
    const request = gate.prove ? gate.prove(given) : given
    const credential = gate.authorize()
    if (!credential) {
      assertOther(gate, request)
      return gate.hold(request, sendReleased<Answer>)
    }
    explainAnonymous(gate, credential, request)
    if (request.abortable && request.replayable) return sendAbortable(gate, request, credential)
    // Nearly all requests end here, so they cost one promise reaction and no async function.
    return Promise.resolve(request.send(credential.authorization)).then((answer) => {
      const challenge = request.challenge(answer)
      return challenge === undefined && gate.refusing.isEmpty
        ? answer
        : proceed(gate, request, credential, answer, challenge)
    })
  } catch (error) {
    return Promise.reject(error)
  }
}

/** Checks that no function of the session makes the request, which shows by the signal that the function was given. */
function assertOther<Answer>(gate: Gate, { signal }: BearerRequest<Answer>): void {
  if (gate.calls.owns(signal)) throw new OwnClientError()
}

/** Sends in a promise job of its own, because requests are released within a step of the chart. */
const sendReleased = <Answer>(slot: Slot, request: BearerRequest<Answer>): Promise<Answer> =>
  Promise.resolve(slot).then((released) => sendWhenAdmitted(released, request, sendHeld))

/**
 * Sends a request that waited. Its slot is released only after a 401 is reported; otherwise the next request would reuse the
 * rejected token.
 */
async function sendHeld<Answer>(slot: Slot, request: BearerRequest<Answer>): Promise<Answer> {
  const { gate, credential } = slot
  let next: Answer | Promise<Answer> | Next
  try {
    const answer = await request.send(credential.authorization)
    next = decide(gate, request, credential, answer, await request.challenge(answer))
  } finally {
    slot.release()
  }
  return next instanceof Next ? replay(await next.slot, request) : next
}

/** How a request that was refused goes on. */
class Next {
  readonly slot: Slot | Promise<Slot>

  constructor(slot: Slot | Promise<Slot>) {
    this.slot = slot
  }
}

/** Goes on after the first answer. */
async function proceed<Answer>(
  gate: Gate,
  request: BearerRequest<Answer>,
  credential: Credential,
  answer: Answer,
  challenge: Challenge | undefined | Promise<Challenge | undefined>,
): Promise<Answer> {
  const next = decide(gate, request, credential, answer, await challenge)
  return next instanceof Next ? replay(await next.slot, request) : next
}

/** Reports what the first answer means to the session. Returns the answer, unless the request has to be sent again. */
function decide<Answer>(
  gate: Gate,
  request: BearerRequest<Answer>,
  credential: Credential,
  answer: Answer,
  challenge: Challenge | undefined,
): Answer | Promise<Answer> | Next {
  if (challenge === undefined && !gate.refusing.isEmpty) gate.refusing.addSuccess(request.key())
  if (challenge === undefined || credential.authorization === undefined) return answer
  if (challenge !== 'refresh') return stepUp(gate, challenge, answer, request, credential)
  if (!request.replayable || request.hasActed?.(answer)) {
    gate.reportUnauthorized(credential, request.key())
    return answer
  }
  let slot: Slot | Promise<Slot> | undefined
  try {
    assertOther(gate, request)
    slot = gate.replay(credential, request.key(), request)
  } catch (error) {
    request.discard?.(answer)
    throw error
  }
  if (!slot) return answer
  request.discard?.(answer)
  return new Next(slot)
}

/** A server asks for more than a fresh token: the caller gets the answer, unless a handler takes the challenge. */
function stepUp<Answer>(
  gate: Gate,
  challenge: StepUp,
  answer: Answer,
  request: BearerRequest<Answer>,
  refused: Credential,
): Answer | Promise<Answer> {
  gate.reportStepUp(challenge)
  return gate.stepUp && !request.hasActed?.(answer)
    ? gate.stepUp.answer(challenge, answer, request, refused)
    : answer
}

/** Sends once more. A second refusal, of a token fresh from a refresh, is the caller's. */
export const replay = <Answer>(slot: Slot, request: BearerRequest<Answer>): Promise<Answer> =>
  sendWhenAdmitted(slot, request, sendReplay)

async function sendReplay<Answer>(slot: Slot, request: BearerRequest<Answer>): Promise<Answer> {
  const { gate, credential } = slot
  gate.replayed()
  try {
    const answer = await request.send(credential.authorization)
    const challenge = await request.challenge(answer)
    if (challenge === 'refresh') gate.reportRefusedAgain(slot, request.key())
    else if (challenge !== undefined) return stepUp(gate, challenge, answer, request, credential)
    else if (!gate.refusing.isEmpty) gate.refusing.addSuccess(request.key())
    return answer
  } finally {
    slot.release()
  }
}

type Send<Answer> = (slot: Slot, request: BearerRequest<Answer>) => Promise<Answer>

/**
 * Sends with a credential that is good at that very moment: `send` is called from here, so that nothing happens between the
 * check and the sending.
 */
const sendWhenAdmitted = <Answer>(
  slot: Slot,
  request: BearerRequest<Answer>,
  send: Send<Answer>,
): Promise<Answer> => {
  if (!slot.gate.admits(slot.credential)) return waitAgain(slot, request, send)
  request.onReleased?.(slot)
  return send(slot, request)
}

/** Since the request was released the gate has closed again: the wait goes on, or ends. */
async function waitAgain<Answer>(
  slot: Slot,
  request: BearerRequest<Answer>,
  send: Send<Answer>,
): Promise<Answer> {
  slot.release()
  return sendWhenAdmitted(await slot.gate.resume(slot.credential, request), request, send)
}

/** Sends a request that a refusal elsewhere may abort. */
async function sendAbortable<Answer>(
  gate: Gate,
  request: BearerRequest<Answer>,
  credential: Credential,
): Promise<Answer> {
  const controller = createAbortController()
  gate.abortable.add(controller)
  let answer: Answer
  try {
    answer = await request.send(credential.authorization, controller.signal)
  } catch (error) {
    if (!controller.signal.aborted) throw error
    return replay(await gate.resume(credential, request), request)
  } finally {
    gate.abortable.delete(controller)
  }
  return proceed(gate, request, credential, answer, request.challenge(answer))
}
