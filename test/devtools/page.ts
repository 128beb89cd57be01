/** What runs in the pages of these tests: bundled, served, and called by name. */
import { createAuth, type TokenResponse } from 'authchart'
import {
  type AuthDevtoolsElement,
  type DevtoolsOptions,
  defineDevtools,
  showDevtools,
} from 'authchart/devtools'
import { createAuthFetch } from 'authchart/fetch'
import { GATE } from '../../src/core/auth.ts'

export interface User {
  readonly username: string
  readonly password: string
}

async function post(form: Record<string, string>, signal: AbortSignal): Promise<TokenResponse> {
  const response = await fetch('/token', { method: 'POST', body: new URLSearchParams(form), signal })
  if (!response.ok) throw response
  return response.json()
}

/** A session with the token server of the site. */
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

/** A session by its number, made on demand. */
function session(index = 0): Session {
  sessions[index] ??= newSession()
  return sessions[index]
}

export const place = {
  session,
  define: defineDevtools,
  /** Signs in, and gives the subject. */
  signIn: (index = 0, username = 'ada') =>
    session(index)
      .auth.signIn({ username, password: 'correct' })
      .then(({ subject }) => subject),
  /** Many requests at once; gives their statuses. */
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
  /** Takes the panel out again that was shown last. */
  hide: () => stops.pop()?.(),
  /** An element of the page's own. */
  add(index?: number, attributes: Record<string, string> = { inline: '' }): AuthDevtoolsElement {
    const element = document.createElement('authchart-devtools')
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value)
    if (index !== undefined) element.auth = session(index).auth
    document.querySelector('main')?.append(element)
    return element
  },
  element: (nth = 0) => document.querySelectorAll('authchart-devtools')[nth] as AuthDevtoolsElement,
  /** Whether anybody looks at the requests of a session. */
  isWatched: (index = 0) => session(index).auth[GATE].watch !== undefined,
}

Object.assign(globalThis, { place, ready: true })
