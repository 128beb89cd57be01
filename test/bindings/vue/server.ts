/** The server code. */
import { renderToString } from 'vue/server-renderer'
import { renderWithSession } from '../server-session.ts'
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

export const late = Facts
