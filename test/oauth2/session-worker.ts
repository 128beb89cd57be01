/** A worker that holds the session of the page in `worker.page.ts`. Its sign-ins need a window of a page. */
import { createAuth, onStepUp } from '../../src/index.ts'
import { createOAuth, popupOfPage, stepUp } from '../../src/oauth2/index.ts'
import { serveAuth } from '../../src/worker/index.ts'

const { issuer = '', resource = '', loginHint } = Object.fromEntries(new URLSearchParams(location.search))
const oauth = createOAuth({ issuer, clientId: 'app', redirectUri: `${location.origin}/callback` })

const auth = createAuth({
  ...oauth.ports,
  async signIn(_: undefined, options) {
    const window = await popupOfPage('test', { signal: options.cancelled })
    if (!window) throw Object.assign(new Error('Declined'), { error: 'access_denied' })
    return oauth.ports.signIn({ via: 'popup', window }, options)
  },
})
new BroadcastChannel('test.stop').onmessage = () => globalThis.close()
serveAuth(auth, { origins: [resource] })
onStepUp(
  auth,
  stepUp(oauth, async (_, { signal }) => {
    const window = await popupOfPage('test', { signal })
    return window && { via: 'popup', window, ...(loginHint && { loginHint }) }
  }),
)
