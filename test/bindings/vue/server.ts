/** What runs on the server. */
import { renderToString } from 'vue/server-renderer'
import { renderWithSession } from '../server-session.ts'
import Facts from './facts.vue'
import { createRequestApp, type RequestProps } from './request.ts'

/** The page of one request, for a user, or for one whose session is still looked for. */
export const render = (subject: string | undefined, props: RequestProps) =>
  renderWithSession(subject, async (auth) => {
    const warnings: string[] = []
    const app = createRequestApp(auth, props)
    app.config.warnHandler = (message) => void warnings.push(message)
    const html = await renderToString(app)
    return { html, warnings }
  })

export const late = Facts
