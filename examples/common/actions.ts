/** The actions of the example's buttons. None of them rejects: each returns a message instead. */
import { AuthError } from 'authchart'
import { api, auth } from './session.ts'

export interface Item {
  readonly id: number
  readonly title: string
  readonly by: string
}

const said = (error: unknown) =>
  error instanceof AuthError ? `Not sent: ${error.message}` : 'The server cannot be reached.'

/** Loads the list. */
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

/** Sends many requests at once, and returns a summary of the results. */
export async function sendBurst(): Promise<string> {
  const before = auth.session?.generation ?? 0
  const requests = Array.from({ length: BURST }, (_, index) => api(`/api/echo/${index}`))
  const answers = await Promise.allSettled(requests)
  const good = answers.filter((answer) => answer.status === 'fulfilled' && answer.value.ok).length
  const refreshes = Math.max(0, (auth.session?.generation ?? before) - before)
  return `${good} of ${BURST} answered, with ${refreshes === 1 ? 'one new token' : `${refreshes} new tokens`}.`
}

const order = async (path: string, done: string) => {
  try {
    const response = await api(path, { method: 'POST' })
    return response.ok ? done : `The server answered ${response.status}.`
  } catch (error) {
    return said(error)
  }
}

/** Makes the server reject the access token. The app is not notified. */
export const expireToken = () =>
  order('/api/expire-token', 'The token has expired. The next request will notice, and get a new one.')

/** Ends the session on the server. The app is not notified. */
export const endSession = () =>
  order('/api/end-session', 'The session has ended on the server. The next request will notice.')

/** Sends a request that only shows that the user is active. */
export const stay = () => order('/api/echo/stay', 'You stay signed in.')

/** Signs in. Returns a message if it fails, otherwise an empty text. */
export async function signIn(username: string, password: string): Promise<string> {
  try {
    await auth.signIn({ username, password })
    return ''
  } catch (error) {
    return error instanceof Response ? 'Wrong user name or password.' : said(error)
  }
}
