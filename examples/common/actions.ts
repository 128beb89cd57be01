/** What the buttons of the example do. Nothing here rejects: what went wrong is told in words. */
import { AuthError } from 'authchart'
import { api, auth } from './session.ts'

export interface Item {
  readonly id: number
  readonly title: string
  readonly by: string
}

const said = (error: unknown) =>
  error instanceof AuthError ? `Not sent: ${error.message}` : 'The server cannot be reached.'

/** Asks for the list. */
export async function loadItems(): Promise<{ readonly items: readonly Item[]; readonly message: string }> {
  try {
    const response = await api('/api/items')
    if (!response.ok) return { items: [], message: `The server answered ${response.status}.` }
    const items: readonly Item[] = await response.json()
    return { items, message: `${items.length} books.` }
  } catch (error) {
    return { items: [], message: said(error) }
  }
}

const BURST = 50

/** Sends many requests at once, and tells what became of them. */
export async function sendBurst(): Promise<string> {
  const before = auth.session?.generation ?? 0
  const requests = Array.from({ length: BURST }, (_, index) => api(`/api/echo/${index}`))
  const answers = await Promise.allSettled(requests)
  const good = answers.filter((answer) => answer.status === 'fulfilled' && answer.value.ok).length
  const renewals = Math.max(0, (auth.session?.generation ?? before) - before)
  return `${good} of ${BURST} answered, with ${renewals === 1 ? 'one new token' : `${renewals} new tokens`}.`
}

const order = async (path: string, done: string) => {
  try {
    const response = await api(path, { method: 'POST' })
    return response.ok ? done : `The server answered ${response.status}.`
  } catch (error) {
    return said(error)
  }
}

/** The server takes the access token no more. Nothing tells the app. */
export const expireToken = () =>
  order('/api/expire-token', 'The token is dead. The next request will find out, and get a new one.')

/** The server forgets the session. Nothing tells the app. */
export const endSession = () =>
  order('/api/end-session', 'The session is over on the server. The next request will find out.')

/** A request that does nothing but show that somebody is there. */
export const stay = () => order('/api/echo/stay', 'You stay signed in.')

/** What went wrong with a sign-in, or an empty text. */
export async function signIn(username: string, password: string): Promise<string> {
  try {
    await auth.signIn({ username, password })
    return ''
  } catch (error) {
    return error instanceof Response ? 'Wrong user name or password.' : said(error)
  }
}
