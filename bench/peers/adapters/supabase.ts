import { AuthClient } from '@supabase/auth-js'
import type { Adapter, Handle } from '../../scoreboard/types.ts'
import { requestWithToken } from '../browser.ts'
import { sessionOf, tokenEndpoint, tokensIn } from '../token-endpoint.ts'

/** Supabase Auth answers with the instant of expiry and the user beside the tokens. */
const toSession = async (response: Response): Promise<Response> => {
  if (response.status === 400) {
    const error = { code: 400, error_code: 'refresh_token_not_found', msg: 'Invalid Refresh Token' }
    return Response.json(error, { status: 400 })
  }
  const tokens = await tokensIn(response)
  if (!tokens) return response
  const { expires_in = 3600 } = tokens
  const user = { id: sessionOf(tokens), aud: 'authenticated', app_metadata: {}, user_metadata: {} }
  return Response.json({
    ...tokens,
    expires_in,
    expires_at: Math.round(Date.now() / 1000 + expires_in),
    user,
  })
}

/** https://supabase.com/docs/reference/javascript/auth-signinwithpassword and …/auth-getsession */
export const adapter: Adapter = {
  backend: (forward): Handle => {
    return async (request) => {
      const { pathname, searchParams } = new URL(request.url)
      if (!pathname.startsWith('/auth/')) return forward(request)
      const endpoint = tokenEndpoint(forward, request)
      const body = (await request.json().catch(() => ({}))) as { email?: string; refresh_token?: string }
      if (pathname === '/auth/logout') {
        await endpoint.revoke(request.headers.get('authorization')?.replace('Bearer ', '') ?? '')
        return new Response(null, { status: 204 })
      }
      if (searchParams.get('grant_type') === 'password')
        return toSession(await endpoint.signIn(body.email ?? ''))
      return toSession(await endpoint.refresh(body.refresh_token ?? ''))
    }
  },
  open({ origin }) {
    const auth = new AuthClient({ url: `${origin}/auth`, storageKey: 'app' })
    return {
      async signIn(user) {
        const { error } = await auth.signInWithPassword({ email: user, password: 'correct' })
        if (error) throw error
      },
      request: requestWithToken(origin, async () => (await auth.getSession()).data.session?.access_token),
      signOut: () => auth.signOut(),
      close: () => auth.stopAutoRefresh(),
    }
  },
}
