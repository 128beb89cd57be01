/**
 * The scenarios of `describeTransport` that the scoreboard leaves out, with the reason. A test checks that this list and the
 * scenarios of this folder are all of them.
 */
export const leftOut: Readonly<Record<string, readonly string[]>> = {
  'It looks at an event of authchart, and the rest is in another scenario.': [
    'a step-up challenge after a refresh is emitted and returned to the caller as well',
    'a lost refresh answer ends the session if the server has no grace period, and the history records both',
  ],
  'It is about an option of authchart.': [
    'a request that waits longer than timeouts.hold is rejected without being sent',
    'a request beyond queueLimit is rejected, and the others are sent',
    'released requests never exceed release.concurrency in flight',
    'requests that fail or are aborted free their slot for the next request',
    'all held requests are released at once by default',
    'a refresh that hangs twice rejects the requests and keeps the session',
    'a refresh function that ignores its signal times out and keeps the session',
    "ambiguousRefresh 'expire' never reuses a refresh token whose answer was lost",
    "whenExpired 'hold' holds requests until their user signs in again",
    "whenExpired 'hold' never sends a held request of one user as another user",
    'dispose rejects waiting and later requests',
    'late tokens of a refresh are revoked even if the revocation of the sign-out failed',
    'the token endpoint receives no request at the start without silentSignIn',
  ],
  'It uses a way to store or to sign in that the libraries do not have in common.': [
    'requests started while the store is read wait for its valid token and use it',
    'a sign-in that is rejected during a refresh does not stop the refresh',
    'a sign-in that is rejected after a refresh releases the held requests with the refreshed token',
    'requests started during a sign-in wait for it',
    'a valid cookie signs in silently and is used for later refreshes',
    'a missing cookie leads to the anonymous state',
    'an unknown cookie leads to the anonymous state',
    'a silent sign-in that fails is retried before the session becomes anonymous',
  ],
  'It needs minutes, because each library refreshes ahead by a time of its own, and none has a clock that a test can move.':
    [
      'scheduled refreshes do not affect a stream of requests',
      "the retry waits until the date of a Retry-After, by the server's clock",
    ],
}
