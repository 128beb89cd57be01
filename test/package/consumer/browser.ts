// Compiled with the types of a browser, without those of Node.
import { type Auth, createAuth, defineStorage, type Session, SessionExpiredError } from 'authchart'
import { createAuthFetch } from 'authchart/fetch'
import { inspectAuth } from 'authchart/inspect'
import { createOAuth } from 'authchart/oauth2'
import { encryptedStorage, webStorage } from 'authchart/storage'
import { tabCoordinator } from 'authchart/tabs'
import { connectAuth } from 'authchart/worker'

interface User {
  readonly name: string
}

export const auth = createAuth({
  signIn: (credentials: { username: string; password: string }, { signal }) =>
    fetch('/login', { method: 'POST', body: JSON.stringify(credentials), signal }).then((r) => r.json()),
  refresh: async ({ refreshToken, signal }) => (await fetch(`/refresh?${refreshToken}`, { signal })).json(),
  storage: webStorage(() => localStorage),
  coordinator: tabCoordinator({ name: 'app' }),
})
export const api: typeof fetch = createAuthFetch(auth)
export const session: Session | undefined = auth.session
export const inWorker: Auth<string, Record<string, unknown>, User> = connectAuth(new Worker('worker.js'))
export const stored = createAuth({ refresh: () => ({}), storage: defineStorage(encryptedStorage()) })

const oauth = createOAuth({ issuer: 'https://id.example', clientId: 'app', redirectUri: '/callback' })
export const popup = (window: Window) => createAuth(oauth.ports).signIn({ via: 'popup', window })

auth.on('expired', ({ reason }) => console.log(reason?.toUpperCase()))
// @ts-expect-error the event has another name
auth.on('expires', () => {})
// @ts-expect-error a password is missing
void auth.signIn({ username: 'ada' })

export const stop = inspectAuth(auth, ({ type }) => console.log(type))
export const isExpired = (error: unknown) =>
  error instanceof SessionExpiredError && error.code === 'session_expired'
