import type { InterceptorOptions, Requester, StatusObject } from '@grpc/grpc-js'
import type { AuthHandle } from '../../core/auth.ts'
import { bearerRequest } from '../../core/requests/bearer-request.ts'
import { challengeOf, hasAuthorization, replyOf, statusOf, timeLeft, withToken } from './status.ts'

/**
 * Sends the token with a stream. A refusal of the token reaches the caller, and the next call gets a new one.
 *
 * @param url what a proof is made for, if it is known
 */
export function streamRequester(auth: AuthHandle, options: InterceptorOptions, url?: string): Requester {
  const { signal, abort } = abortable()
  let isSent = false
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
        send: (authorization, _, proof) =>
          new Promise((resolve) => {
            isSent = true
            next(withToken(metadata, authorization, proof), {
              onReceiveStatus(status, pass) {
                resolve(status)
                pass(status)
              },
            })
          }),
        challenge: challengeOf,
        reply: replyOf,
      }).catch((error) => listener.onReceiveStatus(statusOf(error, signal.aborted, timeLeft(options))))
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
