/** The session of the example. An app creates it once, outside of its components. */
import { createAuth, fromCookie, sessionLimits } from 'authchart'
import { createAuthFetch } from 'authchart/fetch'

export interface Credentials {
  readonly username: string
  readonly password: string
}

/** The user's claims in the tokens. */
export interface Claims {
  readonly sub: string
}

/** How long a session lives without a request, in milliseconds: two minutes, or `?idle=` seconds. */
const IDLE_LIMIT = Number(new URL(location.href).searchParams.get('idle') ?? 120) * 1000

// The refresh token is in an HttpOnly cookie, which no script can read.
async function post(path: string, form: Record<string, string>, signal: AbortSignal) {
  const body = new URLSearchParams({ cookie: '1', ...form })
  const response = await fetch(path, { method: 'POST', body, signal })
  return response.ok ? response : Promise.reject(response)
}

export const auth = createAuth<Credentials, Claims>({
  silentSignIn: fromCookie(),
  signIn: async (user, { signal }) => (await post('/session', { ...user }, signal)).json(),
  refresh: async ({ signal }) => (await post('/token', { grant_type: 'refresh_token' }, signal)).json(),
  revoke: (_, { signal }) => post('/token/revoke', {}, signal),
  limits: sessionLimits({ idle: IDLE_LIMIT }),
  // Requests wait for the user to sign in again, which may take some minutes.
  whenExpired: 'hold',
  timeouts: { hold: 5 * 60_000 },
})

/** `fetch`, with the session. */
export const api = createAuthFetch(auth)

/** Milliseconds until the session expires for inactivity. */
export const idleTime = (now: number) => Math.max(0, Math.min(IDLE_LIMIT, (auth.endsAt ?? now) - now))

let user = ''
auth.on('*', () => {
  user = auth.session?.subject ?? user
})

/** The user of the last session: the sign-in form suggests this name. */
export const lastUser = () => user
