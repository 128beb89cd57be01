import vue from '@vitejs/plugin-vue'
import { beforeAll, describe, expect, it } from 'vitest'
import { hasBrowser } from '../support/browsers/engine.ts'
import { openPages } from './page-suite.ts'
import { renderConcurrently, testViews, withoutComments } from './page-tests.ts'
import { initialSession } from './server-session.ts'
import { bundlePage, loadServer } from './vite-bundles.ts'

type Server = typeof import('./vue/server.ts')
type Scenarios = typeof import('./vue/page.ts').scenarios

const RESTORING = '<p>restoring, restoring, nobody</p><p>not in</p><p>one moment</p>'

let server: Server

beforeAll(async () => {
  server = await loadServer<Server>('vue/server.ts', [vue()])
}, 180_000)

describe('authchart/vue on a server', () => {
  it('renders the restoring state for every user, and adds no listener', async () => {
    for (const subject of ['ada', 'grace']) {
      const { html, listeners, warnings } = await server.render(subject, { id: `for-${subject}` })
      expect(withoutComments(html)).toBe(`<main id="for-${subject}">${RESTORING}</main>`)
      expect({ listeners, warnings }).toEqual({ listeners: 0, warnings: [] })
    }
  })

  it('keeps the users of concurrently rendered pages apart', async () => {
    const pages = await renderConcurrently((subject, wait) =>
      server.render(subject, { id: `for-${subject}`, wait }),
    )
    for (const { subject, html, warnings } of pages) {
      expect(withoutComments(html)).toBe(`<main id="for-${subject}">${RESTORING}</main><b>${subject}</b>`)
      expect(html).not.toMatch(/[ar]t-(ada|grace)/)
      expect(warnings).toEqual([])
    }
  })

  it('renders the pages of signed-in users concurrently, each for its own user', async () => {
    const pages = await renderConcurrently((subject, wait) => server.renderInitial(subject, wait))
    for (const { subject, html } of pages) {
      const main = `<p>signedIn, authenticated, ${subject}</p><p>in</p><p>private: ${subject}, ${subject}</p>`
      expect(withoutComments(html)).toBe(`<main id="for-${subject}">${main}</main><i>${subject}</i>`)
    }
  })

  it('does not wait for a session that is stored in the browser', async () => {
    const { html, state, listeners } = await server.render(undefined, { id: 'anybody', waits: true })
    expect(state).toBe('restoring')
    expect(withoutComments(html)).toBe(`<main id="anybody">${RESTORING}<p>private: nobody, nobody</p></main>`)
    expect(listeners).toBe(0)
  })
})

describe.skipIf(!hasBrowser)('authchart/vue in a browser', () => {
  const { run } = openPages<Scenarios>(() => bundlePage('vue/page.ts', [vue()]))

  const IN = 'signedIn, authenticated, adain'

  it('hydrates the page of a server without a warning if the user is signed in by then', async () => {
    const { html } = await server.render('ada', { id: 'for-ada' })
    const first = 'restoring, restoring, nobodynot inone moment'
    expect(await run('hydrate', html, 'for-ada', false)).toEqual([first, IN, true, 0])
  })

  it('hydrates the page of a signed-in user, and never shows another view', async () => {
    const { html } = await server.renderInitial('ada')
    const seen = await run('hydrateInitial', html, 'for-ada', initialSession('ada'))
    expect(seen).toEqual([[`${IN}private: ada, ada`], true])
  })

  it('hydrates a part that waits for the session, and shows it once it is there', async () => {
    const { html } = await server.render(undefined, { id: 'anybody', waits: true })
    const first = 'restoring, restoring, nobodynot inone momentprivate: nobody, nobody'
    expect(await run('hydrate', html, 'anybody', true)).toEqual([first, `${IN}private: ada, ada`, true, 0])
  })

  it('hydrates a part of the page long after the rest', async () => {
    const { html } = await server.render('ada', { id: 'for-ada', late: server.late })
    const seen = await run('hydrateLate', html, 'for-ada')
    const restoring = 'restoring, restoring, nobody'
    expect(seen).toEqual([restoring, restoring, 'signedIn, authenticated, ada', true])
  })

  testViews((keepExpired) => run('views', keepExpired))

  it('suspends until the stored session has been read', async () => {
    expect(await run('ready', 'restored')).toEqual(['waits', 'private: ada, ada'])
  })

  it('passes on the DisposedError if the auth is disposed of while it waits', async () => {
    expect(await run('ready', 'disposed')).toEqual(['waits', 'DisposedError'])
  })

  it('follows changes if it is called in a lifecycle hook', async () => {
    expect(await run('inHook')).toEqual(['nobody', 1, 0])
  })

  it('keeps two contexts apart, and stops listening when the app is unmounted', async () => {
    expect(await run('contexts')).toEqual(['ada and grace', [1, 1], 'ada and lise', [0, 0]])
  })
})
