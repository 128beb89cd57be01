import { safeReturnPath } from 'authchart/guard'
import { COOKIE, openSession } from './session.ts'

/** The part of SvelteKit's `RequestEvent` that this file uses. */
export interface ActionEvent {
  readonly url: URL
  readonly request: Request
  readonly cookies: { set(name: string, value: string, options: object): void }
}

/** The action of the sign-in page. Rejects with the answer of the token endpoint if the sign-in fails. */
export async function signIn({ request, cookies, url }: ActionEvent): Promise<Response> {
  const form = await request.formData()
  // Each sign-in gets a new name, because an attacker may have planted the old cookie (session fixation).
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
