import type { InterceptorOptions, Requester, StatusObject } from '@grpc/grpc-js'
import type { AuthHandle } from '../../core/auth.ts'
import { bearerRequest } from '../../core/requests/bearer-request.ts'
import type { Place } from '../../core/requests/transport-request.ts'
import { copyMessage } from '../copy-message.ts'
import { challengeOf, hasAuthorization, replyOf, statusOf, timeLeft, withToken } from './status.ts'

/**
 * Sends the token with a stream. A refusal of the token reaches the caller, and the next call gets a new one.
 *
 * A stream may last for hours, so one that waited leaves its place to the next request with its first message. The message shows
 * that the server has accepted the token.
 *
 * @param url what a proof is made for, if it is known
 */
export function streamRequester(auth: AuthHandle, options: InterceptorOptions, url?: string): Requester {
  const { signal, abort } = abortable()
  let isSent = false
  /** What the caller does meanwhile, in its order. */
  const held: (() => void)[] = []
  let place: Place | undefined
  return {
    start(given, listener, next) {
      if (hasAuthorization(given)) {
        isSent = true
        return next(given, listener)
      }
      // The caller may change it while the call waits.
      const metadata = given.clone()
      bearerRequest<StatusObject>(auth, {
        signal,
        timeout: timeLeft(options),
        replayable: false,
        method: 'POST',
        ...(url !== undefined && { url }),
        key: () => options.method_definition.path,
        onReleased: (taken) => {
          place = taken
        },
        send: (authorization, _, proof) =>
          new Promise((resolve) => {
            isSent = true
            next(withToken(metadata, authorization, proof), {
              onReceiveMessage(message, pass) {
                // Without a response of the server, its message is null.
                if (message !== null) place?.release()
                pass(message)
              },
              onReceiveStatus(status, pass) {
                resolve(status)
                pass(status)
              },
            })
            for (const step of held) step()
          }),
        challenge: challengeOf,
        reply: replyOf,
      }).catch((error) => listener.onReceiveStatus(statusOf(error, signal.aborted, timeLeft(options))))
    },
    sendMessage(message, next) {
      if (isSent) return next(message)
      // The caller may change it while the call waits.
      const own = copyMessage(message)
      held.push(() => next(own))
    },
    // Not before the message that is held: gRPC would end the stream at its start.
    halfClose(next) {
      if (isSent) next()
      else held.push(next)
    },
    cancel(next) {
      if (isSent) next()
      else abort(new Error('Cancelled on client'))
    },
  }
}

function abortable() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: (reason: Error) => controller.abort(reason) }
}
