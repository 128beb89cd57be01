/** The server of an app, for one request after another. */
import { type Auth, createAuth, type TokenResponse } from 'authchart'
import { render as renderPage } from 'svelte/server'
import Owner from './owner.svelte'
import RequestPage from './request-page.svelte'
import Stores from './stores.svelte'

/** A token answer that names its user. */
const tokens = (subject: string): TokenResponse => ({
  access_token: `at-${subject}-1`,
  refresh_token: `rt-${subject}-1`,
  expires_in: 3600,
  subject,
})

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

async function withSession(subject: string | undefined, run: (auth: Auth) => PromiseLike<{ body: string }>) {
  using auth = createAuth({
    ...(subject ? { initialTokens: tokens(subject) } : { silentSignIn: true }),
    refresh: () => new Promise(() => {}),
    renew: 'demand',
  })
  const listeners = countListeners(auth)
  const { body } = await run(auth)
  return { body, listeners: listeners(), state: auth.state }
}

/** The page of one request, for a user, or for one whose session is still looked for. */
export const render = (subject: string | undefined, id: string, wait?: Promise<void>) =>
  withSession(subject, (auth) =>
    renderPage(RequestPage, { props: { auth, id, ...(wait && { Part: Owner, wait }) } }),
  )

/** A page that asks for no auth of a component above. */
export const renderStores = (subject: string) =>
  withSession(subject, (auth) => renderPage(Stores, { props: { auth } }))
