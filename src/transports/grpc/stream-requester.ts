import type { InterceptorOptions, Requester, StatusObject } from '@grpc/grpc-js'
import type { AuthHandle } from '../../core/auth.ts'
import { bearerRequest } from '../../core/requests/bearer-request.ts'
import { challengeOf, statusOf, timeLeft } from './status.ts'

/** Sends the token with a stream. A refusal of the token reaches the caller, and the next call gets a new one. */
export function streamRequester(auth: AuthHandle, options: InterceptorOptions): Requester {
  const { signal, abort } = abortable()
  let isSent = false
  return {
    start(metadata, listener, next) {
      bearerRequest<StatusObject>(auth, {
        signal,
        timeout: timeLeft(options),
        replayable: false,
        key: () => options.method_definition.path,
        send: (authorization) =>
          new Promise((resolve) => {
            isSent = true
            if (authorization !== undefined) metadata.set('authorization', authorization)
            next(metadata, {
              onReceiveStatus(status, pass) {
                resolve(status)
                pass(status)
              },
            })
          }),
        challenge: challengeOf,
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
