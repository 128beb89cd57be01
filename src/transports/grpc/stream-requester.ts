import type { InterceptorOptions, Requester, StatusObject } from '@grpc/grpc-js'
import { Metadata } from '@grpc/grpc-js'
import { type AuthHandle, REQUEST_GATE } from '../../core/auth.ts'
import { bearerRequest } from '../../core/requests/bearer-request.ts'
import { challengeOf, hasAuthorization, replyOf, statusOf, timeLeft, withToken } from './status.ts'

/**
 * Sends the token with a stream. Its first message shows that the token was accepted: a stream may last for hours, and other
 * requests wait for the answers of those that were released before them. A refusal of the token reaches the caller, and the next call gets a new one.
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
            const gate = auth[REQUEST_GATE]
            const credential = gate.authorize()
            let headers: Metadata | undefined
            let isAccepted = false
            next(withToken(metadata, authorization, proof), {
              onReceiveMetadata(received, pass) {
                headers = received
                pass(received)
              },
              onReceiveMessage(message, pass) {
                // Without a response of the server, its message is null.
                if (message !== null) isAccepted = true
                if (isAccepted) resolve({ code: OK, details: '', metadata: headers ?? new Metadata() })
                pass(message)
              },
              onReceiveStatus(status, pass) {
                if (isAccepted && credential && challengeOf(status) === 'refresh')
                  gate.reportUnauthorized(credential, options.method_definition.path)
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

const OK = 0

function abortable() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: (reason: Error) => controller.abort(reason) }
}
