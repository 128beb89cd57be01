/** The server code. */

import { createAuth } from 'authchart'
import { renderToString } from 'vue/server-renderer'
import { initialSession, renderWithSession } from '../server-session.ts'
import { tokens } from '../tokens.ts'
import Facts from './facts.vue'
import { createRequestApp, type RequestProps } from './request.ts'

/** Renders the page of one request, for a signed-in user or for a session that is still restoring. */
export const render = (subject: string | undefined, props: RequestProps) =>
  renderWithSession(subject, async (auth) => {
    const warnings: string[] = []
    const app = createRequestApp(auth, props)
    app.config.warnHandler = (message) => void warnings.push(message)
    const html = await renderToString(app)
    return { html, warnings }
  })

/** The one session of a server's module. No user is ever signed in. */
const ofModule = createAuth({ refresh: () => tokens('nobody'), refreshOn: 'demand' })

/** Renders the page of a signed-in user. */
export const renderInitial = async (subject: string, wait?: Promise<void>) => {
  const initial = initialSession(subject)
  const app = createRequestApp(ofModule, {
    id: `for-${subject}`,
    waits: true,
    initial,
    ...(wait && { wait, name: true }),
  })
  return { html: await renderToString(app) }
}

export const late = Facts
