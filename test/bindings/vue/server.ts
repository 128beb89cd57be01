/** What runs on the server. */
import { type Auth, createAuth } from 'authchart'
import { renderToString } from 'vue/server-renderer'
import Facts from './facts.vue'
import { createRequestApp, type RequestProps, tokens } from './request.ts'

/** Counts who listens to a session. */
function countListeners({ actor }: Auth): () => number {
  const { subscribe } = actor
  let count = 0
  actor.subscribe = ((...args: Parameters<typeof subscribe>) => {
    count++
    return subscribe.apply(actor, args)
  }) as typeof subscribe
  return () => count
}

/** The page of one request, for a user, or for one whose session is still looked for. */
export async function render(subject: string | undefined, props: RequestProps) {
  using auth = createAuth({
    ...(subject ? { initialTokens: tokens(subject) } : { silentSignIn: true }),
    refresh: () => new Promise(() => {}),
    renew: 'demand',
  })
  const listeners = countListeners(auth)
  const warnings: string[] = []
  const app = createRequestApp(auth, props)
  app.config.warnHandler = (message) => void warnings.push(message)
  const html = await renderToString(app)
  return { html, listeners: listeners(), state: auth.state, warnings }
}

export const late = Facts
