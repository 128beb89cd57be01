/** The server of an app. */

import { createAuth } from 'authchart'
import { render as renderPage } from 'svelte/server'
import { initialSession, renderWithSession } from '../server-session.ts'
import { tokens } from '../tokens.ts'
import Name from './name.svelte'
import Owner from './owner.svelte'
import RequestPage from './request-page.svelte'
import Stores from './stores.svelte'

/** Renders the page of one request, for a signed-in user or for a session that is still restoring. */
export const render = (subject: string | undefined, id: string, wait?: Promise<void>) =>
  renderWithSession(subject, async (auth) => {
    const { body } = await renderPage(RequestPage, {
      props: { auth, id, ...(wait && { Part: Owner, wait }) },
    })
    return { body }
  })

/** Renders a page that uses no auth of a component above. */
export const renderStores = (subject: string) =>
  renderWithSession(subject, async (auth) => {
    const { body } = await renderPage(Stores, { props: { auth } })
    return { body }
  })

/** The one session of a server's module. No user is ever signed in. */
const ofModule = createAuth({ refresh: () => tokens('nobody'), refreshOn: 'demand' })

/** Renders the page of a signed-in user. */
export const renderInitial = async (subject: string, wait?: Promise<void>) => {
  const { body } = await renderPage(RequestPage, {
    props: {
      auth: ofModule,
      id: `for-${subject}`,
      initial: initialSession(subject),
      ...(wait && { Part: Name, wait }),
    },
  })
  return { body }
}
