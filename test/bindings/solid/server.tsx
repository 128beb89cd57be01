/** @jsxImportSource solid-js */
/** What runs on the server. */
import { isServer, renderToStream, renderToString, renderToStringAsync } from 'solid-js/web'
import { renderWithSession } from '../server-session.ts'
import { RequestPage, type RequestPageProps } from './request-page.tsx'

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
export const render = (way: Way, subject: string | undefined, props: Omit<RequestPageProps, 'auth'>) =>
  renderWithSession(subject, async (auth) => {
    const html = await ways[way](() => <RequestPage auth={auth} {...props} />)
    return { html, isServer }
  })
