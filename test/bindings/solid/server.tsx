/** @jsxImportSource solid-js */
/** The server code. */
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

/** Renders the page of one request, for a signed-in user or for a session that is still restoring. */
export const render = (way: Way, subject: string | undefined, props: Omit<RequestPageProps, 'auth'>) =>
  renderWithSession(subject, async (auth) => {
    const html = await ways[way](() => <RequestPage auth={auth} {...props} />)
    return { html, isServer }
  })
