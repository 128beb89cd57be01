import { beforeAll, describe, expect, it } from 'vitest'
import { hasBrowser } from '../support/browsers/engine.ts'
import { openPages } from './page-suite.ts'
import { renderConcurrently, testViews, withoutComments } from './page-tests.ts'
import { bundlePage, loadServer, REACT_VERSIONS } from './react-bundles.ts'
import { initialSession } from './server-session.ts'

const RESTORING = '<p>restoring, restoring, nobody</p><p>not in</p><p>one moment</p>'

describe.each(REACT_VERSIONS)('authchart/react on a server, in React %s', (version) => {
  let server: Awaited<ReturnType<typeof loadServer>>

  beforeAll(async () => {
    server = await loadServer(version)
  }, 180_000)

  it('renders the restoring state for every user', () => {
    for (const subject of ['ada', 'grace'])
      expect(withoutComments(server.render(subject))).toBe(`<main id="for-${subject}">${RESTORING}</main>`)
  })

  it('keeps the users of concurrently rendered pages apart', async () => {
    const pages = await renderConcurrently((subject, wait) => server.stream(subject, wait))
    for (const { subject, html, errors } of pages) {
      expect(errors).toEqual([])
      expect(withoutComments(html)).toContain(`<main id="for-${subject}">${RESTORING}</main>`)
      expect(html).toContain(`<b>${subject}</b>`)
      expect(html).not.toContain(subject === 'ada' ? 'grace' : 'ada')
      expect(html).not.toMatch(/[ar]t-(ada|grace)/)
    }
  })

  it('renders the fallback of a part that waits for the session, and reports why', async () => {
    const { html, errors } = await server.stream('ada', Promise.resolve(), true)
    expect(html).toContain('<p>waits</p>')
    expect(html).not.toContain('private')
    expect(errors).toEqual([expect.stringContaining('useReady() waits in the browser only')])
    expect(withoutComments(server.render('ada', true))).toContain('<p>waits</p>')
  })
})

const KNOWN = (subject: string) =>
  `<p>signedIn, authenticated, ${subject}</p><p>in</p><p>private: ${subject}</p>`

describe.each(REACT_VERSIONS)('authchart/react on a server that knows its users, in React %s', (version) => {
  it('renders the pages of signed-in users concurrently, each for its own user', async () => {
    const server = await loadServer(version)
    const pages = await renderConcurrently((subject, wait) => server.streamInitial(subject, wait))
    for (const { subject, html, errors } of pages) {
      expect(errors).toEqual([])
      expect(withoutComments(html)).toContain(`<main id="for-${subject}">${KNOWN(subject)}</main>`)
      expect(html).toContain(`<i>${subject}</i>`)
      expect(html).not.toContain(subject === 'ada' ? 'grace' : 'ada')
    }
  })
})

describe.skipIf(!hasBrowser).each(REACT_VERSIONS)('authchart/react in a browser, in React %s', (version) => {
  const { run, takeProblems } = openPages<typeof import('./react-page.tsx').scenarios>(() =>
    bundlePage(version, 'react-page.tsx'),
  )

  it('uses the expected version of React', async () => {
    expect(await run('version')).toMatch(new RegExp(`^${version}\\.`))
  })

  it('hydrates the page of a server without a warning if the user is signed in by then', async () => {
    const html = (await loadServer(version)).render('grace')
    expect(await run('hydrate', html, 'for-grace', false)).toEqual({
      mended: [],
      sameElement: true,
      text: 'signedIn, authenticated, adain',
    })
  })

  it('hydrates the page of a signed-in user, and never shows another view', async () => {
    const { html } = await (await loadServer(version)).streamInitial('ada', Promise.resolve())
    const main = html.replace(/<\/main>.*/s, '</main>')
    expect(await run('hydrateInitial', main, 'for-ada', initialSession('ada'))).toEqual({
      mended: [],
      sameElement: true,
      seen: ['signedIn, authenticated, adainprivate: ada'],
    })
  })

  it('renders the part that waits for the session in the browser', async () => {
    const { html } = await (await loadServer(version)).stream('ada', Promise.resolve(), true)
    const main = html.replace(/<\/main>.*/s, '</main>')
    const { mended, text, sameElement } = await run('hydrate', main, 'for-ada', true)
    expect({ text, sameElement }).toEqual({
      text: 'signedIn, authenticated, adainprivate: ada',
      sameElement: true,
    })
    expect(mended).toEqual([expect.stringContaining('useReady() waits in the browser only')])
  })

  it('throws an explanatory error without a provider, unless an auth is passed', async () => {
    const messages = await run('outside')
    const missing = (caller: string) =>
      `Error: ${caller} found no <AuthProvider> above it. Wrap the app in <AuthProvider auth={auth}>.`
    expect(messages).toEqual([
      ...['useAuth()', 'useSession()', 'useAuthState()', 'useReady()', '<SignedIn>', '<Restoring>'].map(
        missing,
      ),
      'ada 1 authenticated 0',
    ])
    // React also logs errors that a boundary catches.
    expect((await takeProblems()).length).toBeGreaterThan(0)
  })

  it('renders a selection again only when it changes', async () => {
    const { counted, sameObject, generation } = await run('draws', false)
    const [first, refreshed, failed, held] = counted
    expect(first).toEqual({ subject: 1, pair: 1, equalPair: 1, whole: 1, state: 1, held: 1 })
    expect(refreshed).toEqual({ subject: 1, pair: 2, equalPair: 1, whole: 2, state: 3, held: 1 })
    expect(failed).toEqual(refreshed)
    expect(held).toEqual({ ...refreshed, held: 2 })
    expect(sameObject).toBe(true)
    expect(generation).toBe(2)
  })

  it('renders no more often in StrictMode, except for its double render', async () => {
    const { counted } = await run('draws', true)
    const [first, refreshed] = counted
    expect(refreshed).toMatchObject({ subject: first?.subject, equalPair: first?.equalPair })
    expect(refreshed?.state).toBeGreaterThan(first?.state ?? 0)
  })

  it('selects with the props of the current render', async () => {
    expect(await run('props')).toEqual(['subject: ada', 'epoch: 1'])
  })

  testViews((keepExpired) => run('views', keepExpired))

  it('suspends until the stored session has been read', async () => {
    expect(await run('ready', 'restored', false)).toEqual(['waiting', 'ada'])
  })

  it('keeps the previous page during a transition until the session has been read', async () => {
    expect(await run('ready', 'restored', true)).toEqual(['before', 'ada'])
  })

  it('passes on the DisposedError if the auth is disposed of while it waits', async () => {
    expect(await run('ready', 'disposed', false)).toEqual([
      'waiting',
      expect.stringContaining('DisposedError'),
    ])
    expect((await takeProblems()).length).toBeGreaterThan(0)
  })

  it('waits again if the error boundary is reset after a wait that failed', async () => {
    expect(await run('recover')).toEqual([expect.stringContaining('lost'), 'ada'])
    expect((await takeProblems()).length).toBeGreaterThan(0)
  })

  it('switches to another auth, and stops listening to the first', async () => {
    expect(await run('swap')).toEqual(['ada ada ', [3, 0], 'grace grace ', [0, 3], [0, 0]])
  })

  it('never mixes old and new state in one render', async () => {
    expect(await run('tearing')).toEqual({ mixed: [], inSlices: true })
  })

  it('keeps two contexts apart', async () => {
    expect(await run('contexts')).toBe('ada grace')
  })
})
