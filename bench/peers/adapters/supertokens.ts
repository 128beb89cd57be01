import type { default as SuperTokens } from 'supertokens-website'
import { requestByFetch } from '../../scoreboard/clients.ts'
import type { Adapter, Handle } from '../../scoreboard/types.ts'
import { pretendToBeBrowser } from '../browser.ts'
import { sessionOf, tokenEndpoint, tokensIn } from '../token-endpoint.ts'

const bearer = (request: Request) => request.headers.get('authorization')?.replace('Bearer ', '') ?? ''

const CLEARED = { 'front-token': 'remove', 'st-access-token': '', 'st-refresh-token': '' }

/** Adds the headers by which SuperTokens servers hand out tokens. */
const withTokens = async (response: Response): Promise<Response> => {
  const tokens = await tokensIn(response)
  if (!tokens) return response
  const front = { uid: sessionOf(tokens), ate: Date.now() + (tokens.expires_in ?? 3600) * 1000, up: {} }
  return Response.json(
    { status: 'OK' },
    {
      headers: {
        'front-token': Buffer.from(JSON.stringify(front)).toString('base64'),
        'st-access-token': tokens.access_token,
        'st-refresh-token': tokens.refresh_token,
      },
    },
  )
}

/** https://supertokens.com/docs/references/frontend-sdks/function/init, in header mode */
export const adapter: Adapter = {
  backend: (forward): Handle => {
    return async (request) => {
      const endpoint = tokenEndpoint(forward, request)
      switch (new URL(request.url).pathname) {
        case '/auth/signin':
          return withTokens(await endpoint.signIn(((await request.json()) as { user: string }).user))
        case '/auth/session/refresh': {
          const response = await endpoint.refresh(bearer(request))
          // The server of SuperTokens answers 401 and clears the tokens if the session has ended.
          if (response.status === 400) return Response.json({}, { status: 401, headers: CLEARED })
          return withTokens(response)
        }
        case '/auth/signout':
          await endpoint.revoke(bearer(request))
          return Response.json({ status: 'OK' }, { headers: CLEARED })
        default:
          return forward(request)
      }
    }
  },
  async open({ origin }) {
    pretendToBeBrowser()
    const { default: library } = await import('supertokens-website')
    const superTokens = library as typeof SuperTokens
    superTokens.init({ apiDomain: origin, apiBasePath: '/auth', tokenTransferMethod: 'header' })
    // The library has replaced `fetch`.
    const patched = globalThis.fetch
    return {
      signIn: (user) => patched(`${origin}/auth/signin`, { method: 'POST', body: JSON.stringify({ user }) }),
      request: requestByFetch(origin, (url, init) => patched(url, init)),
      signOut: () => superTokens.signOut(),
    }
  },
}
