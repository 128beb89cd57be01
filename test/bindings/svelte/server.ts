/** The server of an app, for one request after another. */
import { render as renderPage } from 'svelte/server'
import { renderWithSession } from '../server-session.ts'
import Owner from './owner.svelte'
import RequestPage from './request-page.svelte'
import Stores from './stores.svelte'

/** The page of one request, for a user, or for one whose session is still looked for. */
export const render = (subject: string | undefined, id: string, wait?: Promise<void>) =>
  renderWithSession(subject, async (auth) => {
    const { body } = await renderPage(RequestPage, {
      props: { auth, id, ...(wait && { Part: Owner, wait }) },
    })
    return { body }
  })

/** A page that asks for no auth of a component above. */
export const renderStores = (subject: string) =>
  renderWithSession(subject, async (auth) => {
    const { body } = await renderPage(Stores, { props: { auth } })
    return { body }
  })
