/** The server of an app. */
import { render as renderPage } from 'svelte/server'
import { renderWithSession } from '../server-session.ts'
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
