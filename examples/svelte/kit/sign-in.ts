import { safeReturnPath } from 'authchart/guard'
import { COOKIE, openSession } from './session.ts'

/** What is used here of SvelteKit's `RequestEvent`. */
export interface ActionEvent {
  readonly url: URL
  readonly request: Request
  readonly cookies: { set(name: string, value: string, options: object): void }
}

/** The action of the sign-in page. Rejects with what the token endpoint says. */
export async function signIn({ request, cookies, url }: ActionEvent): Promise<Response> {
  const form = await request.formData()
  // A new name for each sign-in, for whatever the browser has by now may have been planted.
  const name = crypto.randomUUID()
  const auth = openSession(name)
  try {
    await auth.signIn({ username: String(form.get('username')), password: String(form.get('password')) })
  } finally {
    auth.dispose()
  }
  cookies.set(COOKIE, name, { path: '/', httpOnly: true, secure: true, sameSite: 'lax' })
  const location = safeReturnPath(url.searchParams.get('returnTo'))
  return new Response(null, { status: 303, headers: { location } })
}
