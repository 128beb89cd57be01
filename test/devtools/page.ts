/** The script of the test page. Tests call it through the global `place`. */
import { createAuth, type TokenResponse } from 'authchart'
import {
  type AuthDevtoolsElement,
  type DevtoolsOptions,
  defineDevtools,
  showDevtools,
} from 'authchart/devtools'
import { createAuthFetch } from 'authchart/fetch'
import { REQUEST_GATE } from '../../src/core/auth.ts'

export interface User {
  readonly username: string
  readonly password: string
}

async function post(form: Record<string, string>, signal: AbortSignal): Promise<TokenResponse> {
  const response = await fetch('/token', { method: 'POST', body: new URLSearchParams(form), signal })
  if (!response.ok) throw response
  return response.json()
}

/** Creates a session with the token server of the site. */
function newSession() {
  const auth = createAuth<User>({
    signIn: async (user, { signal }) => ({
      ...(await post({ grant_type: 'password', ...user }, signal)),
      subject: user.username,
    }),
    refresh: ({ refreshToken = '', signal }) =>
      post({ grant_type: 'refresh_token', refresh_token: refreshToken }, signal),
    retry: { minDelay: 1, jitter: 0 },
  })
  globalThis.footprint?.watch(auth)
  return { auth, api: createAuthFetch(auth) }
}

export type Session = ReturnType<typeof newSession>

const sessions: Session[] = []
const stops: (() => void)[] = []

/** Returns a session by its index. Creates it if necessary. */
function session(index = 0): Session {
  sessions[index] ??= newSession()
  return sessions[index]
}

export const place = {
  session,
  define: defineDevtools,
  /** Signs in, and resolves to the subject. */
  signIn: (index = 0, username = 'ada') =>
    session(index)
      .auth.signIn({ username, password: 'correct' })
      .then(({ subject }) => subject),
  /** Sends requests in parallel, and resolves to their statuses. */
  ask: (count: number, index = 0) =>
    Promise.all(
      Array.from({ length: count }, (_, number) =>
        session(index)
          .api(`/api/item-${number}`)
          .then(
            ({ status }) => String(status),
            ({ name }: Error) => name,
          ),
      ),
    ),
  show(options: DevtoolsOptions = {}, index = 0) {
    stops.push(showDevtools(session(index).auth, options))
  },
  /** Removes the panel that was shown last. */
  hide: () => stops.pop()?.(),
  /** Adds an element to the page. */
  add(index?: number, attributes: Record<string, string> = { inline: '' }): AuthDevtoolsElement {
    const element = document.createElement('authchart-devtools')
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
    if (index !== undefined) element.auth = session(index).auth
    document.querySelector('main')?.append(element)
    return element
  },
  element: (nth = 0) => document.querySelectorAll('authchart-devtools')[nth] as AuthDevtoolsElement,
  /** Whether the requests of a session are observed. */
  isWatched: (index = 0) => session(index).auth[REQUEST_GATE].watch !== undefined,
}

Object.assign(globalThis, { place, ready: true })
