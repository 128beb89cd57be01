import { type AnyAuth, GATE } from './auth.ts'
import type { Gate } from './gate.ts'
import type { HoldOptions } from './hold-queue.ts'
import { createAbortController } from './platform.ts'
import type { BearerRequest } from './request.ts'
import type { Pass } from './vault.ts'

/**
 * The replay algorithm, the same for every transport: send with the current token; after a 401 wait for a newer one and
 * send once more; hand the second 401 back.
 *
 * @param auth the session
 * @param request how to send the request and how to read its answer
 * @returns the answer, as the transport would have given it
 * @throws SessionExpiredError, SignedOutError, RefreshUnavailableError, HoldTimeoutError, QueueFullError, DisposedError
 * @throws the reason of the caller's signal, at once, while the request is held
 *
 * @example
 * ```ts
 * const answer = await bearerRequest(auth, {
 *   send: (authorization) => client.get('/me', authorization ? { authorization } : {}),
 *   challenge: (answer) => (answer.status === 401 ? 'renew' : undefined),
 *   replayable: true,
 *   key: () => 'GET /me',
 * })
 * ```
 */
export function bearerRequest<Answer>(auth: AnyAuth, request: BearerRequest<Answer>): Promise<Answer> {
  const gate = auth[GATE]
  const { watch } = gate
  return watch ? watch(request, (watched) => go(gate, watched)) : go(gate, request)
}

function go<Answer>(gate: Gate, request: BearerRequest<Answer>): Promise<Answer> {
  try {
    const pass = gate.pass()
    if (pass) return run(gate, request, pass, false)
    // While it waits, a request is a queue entry and one reaction to it: of these there may be very many.
    return gate
      .hold(request)
      .then((released) =>
        gate.admits(released)
          ? run(gate, request, released, gate.paces)
          : whenAdmitted(gate, request, released, true, (pass, held) =>
              run(gate, request, pass, held && gate.paces),
            ),
      )
  } catch (error) {
    return Promise.reject(error)
  }
}

async function run<Answer>(
  gate: Gate,
  request: BearerRequest<Answer>,
  sent: Pass,
  held: boolean,
): Promise<Answer> {
  let next: Pass | Promise<Pass> | undefined
  try {
    const answer = request.abortable
      ? await deliver(gate, request, sent)
      : await request.send(sent.authorization)
    if (answer === ABORTED) next = gate.resume(sent) ?? gate.hold(request)
    else {
      let challenge = request.challenge(answer)
      if (challenge instanceof Promise) challenge = await challenge
      if (challenge === undefined && gate.hasDoubts) gate.trust(request.key())
      if (challenge === undefined || sent.authorization === undefined) return answer
      if (challenge !== 'renew') {
        gate.stepUp(challenge)
        return answer
      }
      if (!request.replayable) {
        gate.reportUnauthorized(sent)
        return answer
      }
      try {
        next = gate.renew(sent, request.key(), request)
      } catch (error) {
        request.discard?.(answer)
        throw error
      }
      if (!next) return answer
      request.discard?.(answer)
    }
  } finally {
    // Only now that the chart has heard of a refusal: whom this lets go must not go with the token refused.
    if (held) gate.done()
  }
  return replay(gate, request, await next, next instanceof Promise)
}

/** A second refusal, of a token fresh from a refresh, is the caller's. */
const replay = <Answer>(gate: Gate, request: BearerRequest<Answer>, released: Pass, waited: boolean) =>
  whenAdmitted(gate, request, released, waited, async (pass, held) => {
    gate.replayed()
    try {
      const answer = await request.send(pass.authorization)
      const challenge = await request.challenge(answer)
      if (challenge === 'renew') {
        // Only a token that was waited for is known to be fresh: one that was at hand may have died unnoticed.
        if (held) gate.doubt(pass, request.key())
        else gate.reportUnauthorized(pass)
      } else if (challenge !== undefined) gate.stepUp(challenge)
      return answer
    } finally {
      if (held && gate.paces) gate.done()
    }
  })

/**
 * Sends with a pass that is good at that very moment. Since it was given out the gate may have closed again, and then the
 * wait goes on, or ends. `send` is called from here, so that nothing comes between the look and the sending.
 */
async function whenAdmitted<Answer>(
  gate: Gate,
  options: HoldOptions,
  released: Pass,
  waited: boolean,
  send: (pass: Pass, held: boolean) => Promise<Answer>,
): Promise<Answer> {
  let pass = released
  let held = waited
  while (!gate.admits(pass)) {
    if (held && gate.paces) gate.done()
    const next = gate.resume(pass)
    held = next === undefined
    pass = next ?? (await gate.hold(options))
  }
  return send(pass, held)
}

const ABORTED = Symbol('aborted')

/** Sends what a refusal elsewhere may abort. */
async function deliver<Answer>(
  gate: Gate,
  request: BearerRequest<Answer>,
  pass: Pass,
): Promise<Answer | typeof ABORTED> {
  const controller = createAbortController()
  const strikeOff = gate.whileAbortable(() => controller.abort())
  try {
    return await request.send(pass.authorization, controller.signal)
  } catch (error) {
    if (controller.signal.aborted) return ABORTED
    throw error
  } finally {
    strikeOff()
  }
}
