import {
  deviceAuthorizationRequest,
  deviceCodeGrantRequest,
  processDeviceAuthorizationResponse,
  processDeviceCodeResponse,
  ResponseBodyError,
} from 'oauth4webapi'
import { AuthError } from '../core/errors.ts'
import type { Clock, Signal, TokenResponse } from '../core/ports.ts'
import { DEFAULT_SCOPE } from './authorize.ts'
import type { Connection } from './connection.ts'
import { answerOf, oauthError } from './failure.ts'
import type { DeviceCode, DeviceSignIn, OAuthOptions } from './options.ts'

/** RFC 8628 §3.2 and §3.5, in seconds. */
const INTERVAL = 5
const SLOWER = 5
/** The longest wait after a server did not answer, in seconds: the user may have entered the code meanwhile. */
const LONGEST = 60

/**
 * Signs in on a machine without a browser (RFC 8628): the `via` of `auth.signIn()`, which brings its code.
 *
 * @param request shows the code to the user
 * @throws OAuthError; `expired_token` if the user did not enter the code in time, `insecure` if its page is a file, a
 * script, or plain http on another machine, `invalid_response` if it is not a URL
 *
 * @example
 * ```ts
 * await auth.signIn({ via: deviceGrant, onCode: ({ verificationUri, userCode }) => console.log(verificationUri, userCode) })
 * ```
 */
export async function deviceGrant(
  connection: Connection<OAuthOptions>,
  request: DeviceSignIn,
  signal: Signal,
): Promise<TokenResponse> {
  const { client, clientAuth, clock, options } = connection
  const server = await connection.server()
  const scope = request.scope ?? options.scope ?? DEFAULT_SCOPE
  const parameters = new URLSearchParams({ scope })
  for (const [name, value] of connection.resources(options.branchResource)) parameters.append(name, value)
  const response = await deviceAuthorizationRequest(
    server,
    client,
    clientAuth,
    parameters,
    connection.request(),
  )
  const device = await processDeviceAuthorizationResponse(server, client, response)
  const expiresAt = clock.now() + device.expires_in * 1_000
  // Tools print it in a terminal, which obeys some characters.
  if (/\p{Cc}/u.test(device.user_code)) throw oauthError('invalid_response')
  const { verification_uri: page, verification_uri_complete: complete } = device
  const code: DeviceCode = {
    userCode: device.user_code,
    verificationUri: connection.assertSecure(page).href,
    verificationUriComplete: complete === undefined ? undefined : connection.assertSecure(complete).href,
    expiresAt,
  }
  if (signal.aborted) throw signal.reason
  request.onCode(code)
  let interval = device.interval ?? INTERVAL
  let wait = interval
  for (;;) {
    const left = expiresAt - clock.now()
    if (left <= 0) throw oauthError('expired_token')
    await pause(clock, Math.min(wait * 1_000, left), signal)
    try {
      const tokens = await connection.token(
        (options) =>
          deviceCodeGrantRequest(server, client, clientAuth, device.device_code, {
            ...options,
            additionalParameters: connection.resources(),
          }),
        (answer) => processDeviceCodeResponse(server, client, answer),
      )
      // An answer without a scope grants all of it (RFC 6749 §5.1).
      return { scope, ...tokens }
    } catch (error) {
      const code = error instanceof ResponseBodyError ? error.error : undefined
      if (code === 'slow_down') interval += SLOWER
      if (code === 'slow_down' || code === 'authorization_pending') wait = interval
      // A server that does not answer is asked less often, until it does (RFC 8628 §3.5).
      else if (isPassing(error)) wait = Math.min(wait * 2, Math.max(LONGEST, interval * 2))
      else throw error
    }
  }
}

/** Whether nothing is known of the answer: the network failed, or the server did, or has no time. */
function isPassing(error: unknown): boolean {
  if (error instanceof AuthError) return false
  const { code, error: word } = Object(error)
  const { status = 0 } = answerOf(error)
  const isBusy = status >= 500 || status === 429 || word === 'temporarily_unavailable'
  return isBusy || !String(code).startsWith('OAUTH_')
}

function pause(clock: Clock, delay: number, signal: Signal): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const abort = () => {
      clock.clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = clock.setTimeout(() => {
      signal.removeEventListener('abort', abort)
      resolve()
    }, delay)
    signal.addEventListener('abort', abort)
    if (signal.aborted) abort()
  })
}
