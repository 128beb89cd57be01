/** A shopping list with a sign-in: a minimal app without a framework. */
import { createAuth } from 'authchart'
import { createAuthFetch } from 'authchart/fetch'
import { webStorage } from 'authchart/storage'

/** The address of the API. The bundler inserts it. */
declare const API_URL: string

interface User {
  readonly username: string
  readonly password: string
}

async function post(path: string, form: Record<string, string>, signal: AbortSignal) {
  const response = await fetch(API_URL + path, { method: 'POST', body: new URLSearchParams(form), signal })
  return response.ok ? response : Promise.reject(response)
}

const auth = createAuth({
  async signIn({ username, password }: User, { signal }) {
    const answer = await post('/session', { username, password }, signal)
    return { ...(await answer.json()), subject: username }
  },
  async refresh({ refreshToken = '', signal }) {
    const answer = await post('/token', { grant_type: 'refresh_token', refresh_token: refreshToken }, signal)
    return answer.json()
  },
  revoke: ({ accessToken, refreshToken }, { signal }) =>
    post('/revoke', { token: refreshToken ?? accessToken }, signal),
  storage: webStorage(() => localStorage),
})
const api = createAuthFetch(auth, { origins: [API_URL] })

const find = <E extends Element>(selector: string) => document.querySelector<E>(selector) as E
const status = find('[role=status]')
const alert = find('[role=alert]')
const items = find('ul')
const form = find<HTMLFormElement>('form')
const list = find<HTMLElement>('section')
let load: 'idle' | 'loading' | 'failed' = 'idle'

function show() {
  const signedIn = auth.session !== undefined
  status.textContent = load === 'loading' ? 'Loading …' : greeting()
  form.hidden = signedIn
  list.hidden = !signedIn
  if (!signedIn) items.replaceChildren()
}

function greeting(): string {
  switch (auth.state) {
    case 'anonymous':
      return 'Nobody is signed in'
    case 'authenticating':
      return 'Signing in …'
    case 'expired':
      return 'Your session has ended, sign in again'
    case 'signingOut':
      return 'Signing out …'
    case 'loggedOut':
      return 'Signed out'
    case 'restoring':
      return 'One moment …'
    default:
      return `Signed in as ${auth.session?.subject}${load === 'failed' ? ', but the list did not load' : ''}`
  }
}

form.addEventListener('submit', async (event) => {
  event.preventDefault()
  load = 'idle'
  alert.textContent = ''
  const user = Object.fromEntries(new FormData(form)) as unknown as User
  form.reset()
  await auth.signIn(user).catch(() => {
    alert.textContent = 'Wrong user name or password'
  })
})

find('#load').addEventListener('click', async () => {
  load = 'loading'
  items.replaceChildren()
  show()
  const response = await api(`${API_URL}/api/items`).catch(() => undefined)
  const names: string[] = response?.ok ? await response.json() : []
  for (const name of names) items.append(Object.assign(document.createElement('li'), { textContent: name }))
  load = response?.ok ? 'idle' : 'failed'
  show()
})

find('#sign-out').addEventListener('click', () => auth.signOut())

auth.on('transition', show)
show()
