/** The pages that `npm run test:start` follows, and what each of them promises. */
import type { Page } from 'playwright-core'
import type { Service } from './service.ts'

export interface Walk {
  /** Its path in `docs/`. */
  readonly page: string
  /** The file that the first snippet is saved as, if it has no name. */
  readonly first?: string
  /** What the page says to put in the place of something else. */
  readonly replace?: Readonly<Record<string, string>>
  /** The server, if the page has several. */
  readonly server?: string
  /** Answers as the hosted service of the page does. Its address is put in the place of `at`. */
  readonly service?: { readonly at: string; readonly start: () => Promise<Service> }
  /** What the user does on the page of a sign-in server. */
  readonly signsIn?: (page: Page) => Promise<void>
  /** What the console shows to a user who is signed in. */
  readonly shows: RegExp
  /** The request that signs in. */
  readonly signIn: RegExp
  /** Whether a reload keeps the session. */
  readonly stays: boolean
  /** Twenty requests at once with an expired token: all of them succeed, and cost one refresh. */
  readonly burst?: { readonly send: string; readonly refresh: RegExp }
}

const LOCAL = { 'https://api.example.com': 'http://localhost:8080' }
const ME = /subject: ada|"subject":"ada"/
const LOGIN = /^POST \S+\/login /
const REFRESH = /^POST \S+\/refresh /

export const WALKS: readonly Walk[] = [
  { page: 'start/quick-start', first: 'auth.ts', replace: LOCAL, shows: ME, signIn: LOGIN, stays: false },
  { page: 'start/json-tokens', replace: LOCAL, shows: ME, signIn: LOGIN, stays: true },
  ...['express.ts', 'hono.ts'].map((server) => ({
    page: 'start/cookie-mode',
    server,
    shows: /user: ada/,
    signIn: /^POST \S+\/session\/start /,
    stays: true,
  })),
  ...['from-an-interceptor', 'from-axios-auth-refresh'].map((name) => ({
    page: `start/${name}`,
    replace: LOCAL,
    shows: ME,
    signIn: LOGIN,
    stays: true,
    burst: { send: "(await import('/api.ts')).api.get('/api/me')", refresh: REFRESH },
  })),
]
