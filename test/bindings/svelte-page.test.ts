import { svelte } from '@sveltejs/vite-plugin-svelte'
import { beforeAll, describe, expect, it } from 'vitest'
import { hasBrowser } from '../support/browsers/engine.ts'
import { openPages } from './page-suite.ts'
import { renderConcurrently, withoutComments } from './page-tests.ts'
import { initialSession } from './server-session.ts'
import { bundlePage, loadServer } from './vite-bundles.ts'

type Server = typeof import('./svelte/server.ts')
type Scenarios = typeof import('./svelte/page.ts').scenarios

const RESTORING =
  '<p><img alt="" src="data:,restoring"/>restoring, restoring, nobody</p> <p>not in</p> <p>one moment</p>'

let server: Server

beforeAll(async () => {
  const plugin = svelte({ configFile: false, compilerOptions: { experimental: { async: true } } })
  server = await loadServer<Server>('svelte/server.ts', [plugin])
}, 180_000)

describe('authchart/svelte on a server', () => {
  const plain = (html: string) => withoutComments(html).replaceAll(/\s+/g, ' ')

  it('renders the restoring state for every user, and adds no listener', async () => {
    for (const subject of ['ada', 'grace']) {
      const { body, listeners } = await server.render(subject, `for-${subject}`)
      expect(plain(body)).toContain(`<main id="for-${subject}">${RESTORING} </main>`)
      expect(listeners).toBe(0)
    }
  })

  it('keeps the users of concurrently rendered pages apart', async () => {
    const pages = await renderConcurrently((subject, wait) => server.render(subject, `for-${subject}`, wait))
    for (const { subject, body, listeners } of pages) {
      expect(plain(body)).toContain(`<main id="for-${subject}">${RESTORING}`)
      expect(body).toContain(`<b>${subject}</b>`)
      expect(body).not.toContain(subject === 'ada' ? 'grace' : 'ada')
      expect(body).not.toMatch(/[ar]t-(ada|grace)/)
      expect(listeners).toBe(0)
    }
  })

  it('renders the pages of signed-in users concurrently, each for its own user', async () => {
    const pages = await renderConcurrently((subject, wait) => server.renderInitial(subject, wait))
    for (const { subject, body } of pages) {
      expect(plain(body)).toContain(`signedIn, authenticated, ${subject}</p> <p>in</p>`)
      expect(body).toContain(`<i>${subject}</i>`)
      expect(body).not.toContain(subject === 'ada' ? 'grace' : 'ada')
      expect(body).not.toContain('one moment')
    }
  })

  it('does not wait for a session that is stored in the browser', async () => {
    const { body, state } = await server.render(undefined, 'anybody')
    expect(state).toBe('restoring')
    expect(plain(body)).toContain(RESTORING)
  })

  it('renders the restoring state for stores and for an auth argument', async () => {
    const { body, listeners } = await server.renderStores('ada')
    expect(plain(body).trim()).toBe(', restoring,')
    expect(listeners).toBe(0)
  })
})

describe.skipIf(!hasBrowser)('authchart/svelte in a browser', () => {
  const { run } = openPages<Scenarios>(() => bundlePage('svelte/page.ts', [svelte({ configFile: false })]))

  it('hydrates the page of a server without a warning if the user is signed in by then', async () => {
    const { body } = await server.render('ada', 'for-ada')
    expect(await run('hydrate', body, 'for-ada')).toEqual([
      'signedIn, authenticated, ada in',
      'data:,signedIn',
      true,
      0,
    ])
  })

  it('hydrates the page of a signed-in user, and never shows another view', async () => {
    const { body } = await server.renderInitial('ada')
    expect(await run('hydrateInitial', body, 'for-ada', initialSession('ada'))).toEqual([
      ['signedIn, authenticated, ada in'],
      true,
    ])
  })

  it('shows one view at a time, which does not change during a refresh or a sign-in', async () => {
    expect(await run('views', false)).toEqual([
      '- restoring restoring',
      ...['- out signedOut', '(nobody)', '(signing in)'],
      ...['in ada signedIn', '(signed in)', '(refreshing)'],
      ...['- out expired expired', '(expired)', '(signing in after it expired)'],
      ...['in ada signedIn', '(back)'],
      ...['- out signedOut', '(left)'],
    ])
  })

  it('still shows the page of an expired session with keepExpired', async () => {
    const seen = await run('views', true)
    expect(seen.slice(seen.indexOf('(refreshing)') + 1)).toEqual([
      ...['in ada expired expired', '(expired)', '(signing in after it expired)'],
      ...['in ada signedIn', '(back)'],
      ...['- out signedOut', '(left)'],
    ])
  })

  it('renders a selection again only when it changes', async () => {
    const { counted, values } = await run('draws')
    const none = { subject: 0, pair: 0, equalPair: 0, whole: 0, state: 0, held: 0, chosen: 0 }
    const [, refreshed, failed, held, chosen, other] = counted
    expect(refreshed).toEqual({ ...none, pair: 1, whole: 1, state: 2 })
    expect(failed).toEqual(none)
    expect(held).toEqual({ ...none, held: 1 })
    expect(chosen).toEqual({ ...none, chosen: 1 })
    expect(other).toEqual({ ...none, subject: 1, pair: 1, equalPair: 1, whole: 1, chosen: 1 })
    expect(values).toEqual(['grace', 3, 2, true])
  })

  it('renders a change of the session after a change of other state that the selection reads', async () => {
    expect(await run('wanted')).toEqual(['true', 'false', 'true'])
  })

  it('keeps two contexts apart, and stops listening when the app is unmounted', async () => {
    expect(await run('contexts')).toEqual(['ada and grace', [1, 1], 'ada and lise', [0, 0]])
  })

  it('throws an explanatory error if no auth was set', async () => {
    const missing = (caller: string) =>
      `${caller}() found no auth. Call setAuth(auth) in a component above, such as the root layout.`
    expect(await run('outside')).toEqual(
      ['getAuth', 'useSession', 'useAuthState', 'useAuthView'].map(missing),
    )
  })

  it('has stores that listen only while subscribed, and notify only of changes', async () => {
    expect(await run('stores')).toEqual([
      ...['ada', 0],
      ...['ada, authenticated, ada', 5],
      5,
      'grace, authenticated, grace',
      ['ada', 'grace'],
      ['signedIn'],
      undefined,
      0,
    ])
  })

  it('renders a change that a listener of an event has read before', async () => {
    expect(await run('readEarly')).toEqual({
      seen: ['ada signedIn', 'grace signedIn', 'nobody signedOut'],
      read: ['grace signedIn', ' signedOut'],
    })
  })

  it('accepts a change during a derivation', async () => {
    expect(await run('derived')).toBe(1)
  })

  it('works with useSelector of @xstate/svelte', async () => {
    expect(await run('selector')).toEqual([[1, 2], 0])
  })
})
