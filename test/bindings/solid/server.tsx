/** @jsxImportSource solid-js */
/** What runs on the server. */
import { type Auth, createAuth } from 'authchart'
import { isServer, renderToStream, renderToString, renderToStringAsync } from 'solid-js/web'
import { RequestPage, type RequestPageProps, tokens } from './request-page.tsx'

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

const ways = {
  string: async (page: () => unknown) => renderToString(page),
  async: async (page: () => unknown) => renderToStringAsync(page),
  stream(page: () => unknown) {
    const { readable, writable } = new TransformStream()
    renderToStream(page).pipeTo(writable)
    return new Response(readable).text()
  },
}
export type Way = keyof typeof ways

/** The page of one request, for a user, or for one whose session is still looked for. */
export async function render(way: Way, subject: string | undefined, props: Omit<RequestPageProps, 'auth'>) {
  using auth = createAuth({
    ...(subject ? { initialTokens: tokens(subject) } : { silentSignIn: true }),
    refresh: () => new Promise(() => {}),
    renew: 'demand',
  })
  const listeners = countListeners(auth)
  const html = await ways[way](() => <RequestPage auth={auth} {...props} />)
  return { html, isServer, listeners: listeners(), state: auth.state }
}
