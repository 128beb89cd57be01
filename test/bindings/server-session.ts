/** The session of one request, on a server. */
import { type Auth, createAuth } from 'authchart'
import { countSubscriptions } from './listeners.ts'
import { tokens } from './tokens.ts'

/**
 * Renders with a session that ends with the request; gives what was rendered, and who has listened meanwhile.
 *
 * @param subject who is signed in; without one, the session is still looked for
 */
export async function renderWithSession<T extends object>(
  subject: string | undefined,
  render: (auth: Auth) => Promise<T>,
) {
  using auth = createAuth({
    ...(subject ? { initialTokens: tokens(subject) } : { silentSignIn: true }),
    refresh: () => new Promise(() => {}),
    renew: 'demand',
  })
  const listeners = countSubscriptions(auth)
  const rendered = await render(auth)
  return { ...rendered, listeners: listeners(), state: auth.state }
}
