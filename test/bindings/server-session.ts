/** The session of one request on a server. */
import { type Auth, createAuth, fromCookie } from 'authchart'
import { countSubscriptions } from './listeners.ts'
import { tokens } from './tokens.ts'

/** What a server knows of a user, for a page that shows it at once. */
export const initialSession = (subject: string) => ({ subject, user: { name: subject } })

/**
 * Renders with a session that ends with the request. Returns the rendered page and the number of listeners.
 *
 * @param subject the signed-in user; without one, the session is still restoring
 */
export async function renderWithSession<T extends object>(
  subject: string | undefined,
  render: (auth: Auth) => Promise<T>,
) {
  using auth = createAuth({
    ...(subject ? { initialTokens: tokens(subject) } : { silentSignIn: fromCookie() }),
    refresh: () => new Promise(() => {}),
    refreshOn: 'demand',
  })
  const listeners = countSubscriptions(auth)
  const rendered = await render(auth)
  return { ...rendered, listeners: listeners(), state: auth.state }
}
