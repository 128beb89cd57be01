/** The session of the example. An OpenID provider issues its tokens. */
import { createAuth } from 'authchart'
import { createAuthFetch } from 'authchart/fetch'
import { webStorage } from 'authchart/storage'
import { tabCoordinator } from 'authchart/tabs'
import { createClient } from './client.ts'

export const oauth = createClient(ISSUER)
export const auth = createAuth({
  ...oauth.ports,
  storage: webStorage(() => localStorage),
  coordinator: tabCoordinator(),
})

/** The provider has an API, too: the claims of the user. */
export const api = createAuthFetch(auth, { origins: [ISSUER] })
