/** The script of a page, and of the page that the browser loads in advance while the first one is shown. */
import { createTabSession } from './tab-session.ts'

const { pathname, search } = location
const server = new URLSearchParams(search).get('server') ?? ''
const { auth } = createTabSession(server, { store: 'tab', coordinated: false })
const say = (path: string, text = '') => fetch(path, { method: 'POST', body: text })

/** Signs in and lets the browser load the next page. Refreshes and leaves for it when the test says so. */
async function first() {
  await auth.signIn('ada')
  const rules = document.createElement('script')
  rules.type = 'speculationrules'
  rules.text = JSON.stringify({ prerender: [{ urls: [`/second${search}`], eagerness: 'immediate' }] })
  document.head.append(rules)
  await say('/leave')
  await auth.refresh()
  // As long as another document has to say that it lives, even if timers of hidden pages are late.
  await new Promise((resolve) => setTimeout(resolve, 2_000))
  location.href = `/second${search}`
}

async function second() {
  const { prerendering } = document as { prerendering?: boolean }
  await auth.ready()
  const refreshed = auth.refresh().then(
    () => 'refreshed',
    ({ message }) => message,
  )
  await say('/loaded', String(prerendering))
  await say('/ended', `${await refreshed}, ${auth.state}`)
}

void (pathname === '/first' ? first() : second())
