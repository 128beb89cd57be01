/** The pages that `npm run test:start` follows, and what each of them promises. */
import type { Page } from 'playwright-core'
import { startAuth0 } from './auth0.ts'
import type { Service } from './service.ts'
import { startSupabase } from './supabase.ts'

export interface Walk {
  /** Its path in `docs/`. */
  readonly page: string
  /** What the page says to put in the place of something else. */
  readonly replace?: Readonly<Record<string, string>>
  /** The server, if the page has several. */
  readonly server?: string
  /** Answers as the hosted service of the page does. */
  readonly service?: () => Promise<Service>
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

const SERVER = 'http://localhost:8080'
/** The server on this machine, in the place of the server of the user. */
export const LOCAL = { 'https://api.example.com': SERVER, 'https://id.example.com': SERVER }
const ME = /subject: ada|"subject":"ada"/
const LOGIN = /^POST \S+\/login /
const REFRESH = /^POST \S+\/refresh /
const REDIRECT = /^GET \S+\/auth\?/
const ME_BY_FETCH = {
  send: `(await import('/auth.ts')).api('${SERVER}/me')`,
  refresh: /^POST \S+\/token .*grant_type=refresh_token/,
}

/** Signs in on the pages of oidc-provider. */
async function atProvider(page: Page) {
  await page.locator('[name=login]').fill('ada')
  await page.locator('[name=password]').fill('any')
  await page.getByRole('button', { name: 'Sign-in' }).click()
  await page.getByRole('button', { name: 'Continue' }).click()
}

export const WALKS: readonly Walk[] = [
  { page: 'start/quick-start', replace: LOCAL, shows: ME, signIn: LOGIN, stays: false },
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
  {
    page: 'oauth',
    replace: LOCAL,
    signsIn: atProvider,
    shows: /Signed in as ada/,
    signIn: REDIRECT,
    stays: true,
  },
  {
    page: 'start/redirect',
    replace: LOCAL,
    signsIn: atProvider,
    shows: /sub: ada/,
    signIn: REDIRECT,
    stays: true,
    burst: ME_BY_FETCH,
  },
  {
    page: 'start/auth0',
    service: startAuth0,
    signsIn: atProvider,
    shows: /sub: ada/,
    signIn: REDIRECT,
    stays: true,
    burst: ME_BY_FETCH,
  },
  {
    page: 'start/supabase',
    service: startSupabase,
    shows: /subject: ada/,
    signIn: /^POST \S+grant_type=password /,
    stays: true,
    burst: {
      send: "(await import('/supabase.ts')).supabase.from('notes').select()",
      refresh: /^POST \S+grant_type=refresh_token /,
    },
  },
]
