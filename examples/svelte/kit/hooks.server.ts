import type { Auth } from 'authchart'
import { requireSession } from 'authchart/guard'
import { COOKIE, type Credentials, openSession } from './session.ts'

/** The part of SvelteKit's types that this file uses. An app imports them from `@sveltejs/kit`. */
export interface RequestEvent {
  readonly url: URL
  readonly route: { readonly id: string | null }
  readonly cookies: { get(name: string): string | undefined }
  readonly locals: { auth?: Auth<Credentials> }
}
export interface HandleInput {
  readonly event: RequestEvent
  readonly resolve: (event: RequestEvent) => Response | Promise<Response>
}

export async function handle({ event, resolve }: HandleInput): Promise<Response> {
  // One auth for each request, so that requests share nothing.
  const auth = openSession(event.cookies.get(COOKIE))
  try {
    // After this, `auth` has the session of the cookie.
    await auth.ready()
    event.locals.auth = auth
    if (event.route.id?.startsWith('/(app)')) {
      const location = await requireSession(auth, { url: event.url, loginPath: '/login' })
      if (location) return new Response(null, { status: 303, headers: { location } })
    }
    return await resolve(event)
  } finally {
    auth.dispose()
  }
}
