/** @jsxImportSource solid-js */
/** The server code. */

import { createAuth } from 'authchart'
import { isServer, renderToStream, renderToString, renderToStringAsync } from 'solid-js/web'
import { initialSession, renderWithSession } from '../server-session.ts'
import { tokens } from '../tokens.ts'
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

/** The one session of a server's module. No user is ever signed in. */
const ofModule = createAuth({ refresh: () => tokens('nobody'), refreshOn: 'demand' })

/** Renders the page of a signed-in user. */
export const renderInitial = async (way: Way, subject: string, wait?: Promise<void>) => ({
  html: await ways[way](() => (
    <RequestPage
      auth={ofModule}
      id={`for-${subject}`}
      waits
      initial={initialSession(subject)}
      {...(wait && { wait })}
    />
  )),
})
