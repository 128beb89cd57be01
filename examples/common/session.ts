/** The session of the example: what an app writes once, outside of its components. */
import { createAuth } from 'authchart'
import { createAuthFetch } from 'authchart/fetch'

export interface Credentials {
  readonly username: string
  readonly password: string
}

/** What the tokens say of the user. */
export interface Claims {
  readonly sub: string
}

/** How long a session lives without a request, in milliseconds: two minutes, or `?idle=` seconds. */
export const IDLE_LIMIT = Number(new URL(location.href).searchParams.get('idle') ?? 120) * 1000

// The refresh token lives in an HttpOnly cookie, which no script can read.
async function post(path: string, form: Record<string, string>, signal: AbortSignal) {
  const body = new URLSearchParams({ cookie: '1', ...form })
  const response = await fetch(path, { method: 'POST', body, signal })
  return response.ok ? response : Promise.reject(response)
}

export const auth = createAuth<Credentials, Claims>({
  silentSignIn: true,
  signIn: async (user, { signal }) =>
    (await post('/token', { grant_type: 'password', ...user }, signal)).json(),
  refresh: async ({ signal }) => (await post('/token', { grant_type: 'refresh_token' }, signal)).json(),
  revoke: (_, { signal }) => post('/token/revoke', {}, signal),
  limits: { idle: IDLE_LIMIT },
  // Requests wait for the user to sign in again, as long as a user may take for it.
  whenExpired: 'hold',
  timeouts: { hold: 5 * 60_000 },
})

/** `fetch`, with the session. */
export const api = createAuthFetch(auth)

/** Milliseconds until the session ends because nobody uses it. */
export const idleTime = (now: number) => Math.max(0, Math.min(IDLE_LIMIT, (auth.endsAt ?? now) - now))

let user = ''
auth.on('*', () => {
  user = auth.session?.subject ?? user
})

/** Who was signed in last: the one to sign in again. */
export const lastUser = () => user
