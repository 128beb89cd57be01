import { beforeAll, describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { openPages } from './page-suite.ts'
import { bundlePage, loadServer, REACT_VERSIONS } from './react-bundles.ts'

const RESTORING = '<p>restoring, restoring, nobody</p><p>not in</p><p>one moment</p>'

describe.each(REACT_VERSIONS)('authchart/react on a server, in React %s', (version) => {
  let server: Awaited<ReturnType<typeof loadServer>>

  beforeAll(async () => {
    server = await loadServer(version)
  }, 60_000)

  const plain = (html: string) => html.replaceAll(/<!--.*?-->/g, '')

  it('renders that the session is looked for, whoever is signed in', () => {
    for (const subject of ['ada', 'grace'])
      expect(plain(server.render(subject))).toBe(`<main id="for-${subject}">${RESTORING}</main>`)
  })

  it('keeps two users apart whose pages are rendered at the same time', async () => {
    const ends: (() => void)[] = []
    const pages = ['ada', 'grace', 'ada', 'grace'].map(async (subject) => {
      const wait = new Promise<void>((resolve) => ends.push(resolve))
      return { subject, ...(await server.stream(subject, wait)) }
    })
    for (const end of ends.reverse()) end()
    for (const { subject, html, errors } of await Promise.all(pages)) {
      expect(errors).toEqual([])
      expect(plain(html)).toContain(`<main id="for-${subject}">${RESTORING}</main>`)
      expect(html).toContain(`<b>${subject}</b>`)
      expect(html).not.toContain(subject === 'ada' ? 'grace' : 'ada')
      expect(html).not.toMatch(/[ar]t-(ada|grace)/)
    }
  })

  it('renders the fallback of what waits for the session, and says why', async () => {
    const { html, errors } = await server.stream('ada', Promise.resolve(), true)
    expect(html).toContain('<p>waits</p>')
    expect(html).not.toContain('private')
    expect(errors).toEqual([expect.stringContaining('useReady() waits in the browser only')])
    expect(plain(server.render('ada', true))).toContain('<p>waits</p>')
  })
})

describe.skipIf(!hasChromium).each(REACT_VERSIONS)('authchart/react in Chromium, in React %s', (version) => {
  const { run, takeProblems } = openPages<typeof import('./react-page.tsx').scenarios>(() =>
    bundlePage(version, 'react-page.tsx'),
  )

  it(`is that version`, async () => {
    expect(await run('version')).toMatch(new RegExp(`^${version}\\.`))
  })

  it('takes over the page of a server without a complaint, though the user is signed in by then', async () => {
    const html = (await loadServer(version)).render('grace')
    expect(await run('hydrate', html, 'for-grace', false)).toEqual({
      mended: [],
      sameElement: true,
      text: 'signedIn, authenticated, adain',
    })
  })

  it('goes on in the browser with the part that waited for the session', async () => {
    const { html } = await (await loadServer(version)).stream('ada', Promise.resolve(), true)
    const main = html.replace(/<\/main>.*/s, '</main>')
    const { mended, text, sameElement } = await run('hydrate', main, 'for-ada', true)
    expect({ text, sameElement }).toEqual({
      text: 'signedIn, authenticated, adainprivate: ada',
      sameElement: true,
    })
    expect(mended).toEqual([expect.stringContaining('useReady() waits in the browser only')])
  })

  it('says what is missing outside of a provider, and needs none where it is given the auth', async () => {
    const said = await run('outside')
    const missing = (asker: string) =>
      `Error: ${asker} found no <AuthProvider> above it. Wrap the app in <AuthProvider auth={auth}>.`
    expect(said).toEqual([
      ...['useAuth()', 'useSession()', 'useAuthState()', 'useReady()', '<SignedIn>', '<Restoring>'].map(
        missing,
      ),
      'ada 1 authenticated 0',
    ])
    // React reports what a boundary catches.
    expect(takeProblems().length).toBeGreaterThan(0)
  })

  it('draws a selection again when it changes, and then only', async () => {
    const { counted, sameObject, generation } = await run('draws', false)
    const [first, renewed, failed, held] = counted
    expect(first).toEqual({ subject: 1, pair: 1, equalPair: 1, whole: 1, state: 1, held: 1 })
    expect(renewed).toEqual({ subject: 1, pair: 2, equalPair: 1, whole: 2, state: 3, held: 1 })
    expect(failed).toEqual(renewed)
    expect(held).toEqual({ ...renewed, held: 2 })
    expect(sameObject).toBe(true)
    expect(generation).toBe(2)
  })

  it('draws no more often in StrictMode, but for its second look', async () => {
    const { counted } = await run('draws', true)
    const [first, renewed] = counted
    expect(renewed).toMatchObject({ subject: first?.subject, equalPair: first?.equalPair })
    expect(renewed?.state).toBeGreaterThan(first?.state ?? 0)
  })

  it('selects by the props of the draw at hand', async () => {
    expect(await run('props')).toEqual(['subject: ada', 'epoch: 1'])
  })

  it('shows one view at a time, which a refresh and a sign-in leave as it is', async () => {
    expect(await run('views', false)).toEqual([
      '- restoring',
      '- out',
      ...['nobody', '- out', 'signing in', '- out'],
      ...['in', 'signed in', 'in', 'refreshing', 'in', 'signing in again', 'in'],
      ...['- out expired', 'expired', '- out expired', 'signing in after it expired', '- out expired'],
      ...['in', 'back', 'in', '- out', 'left', '- out'],
    ])
  })

  it('keeps a session that has expired on the page, where the provider says so', async () => {
    const seen = await run('views', true)
    expect(seen.slice(seen.indexOf('signing in again') + 1)).toEqual([
      'in',
      ...['in expired', 'expired', 'in expired', 'signing in after it expired', 'in expired'],
      ...['in', 'back', 'in', '- out', 'left', '- out'],
    ])
  })

  it('suspends until the session was read', async () => {
    expect(await run('ready', 'restored', false)).toEqual(['waiting', 'ada'])
  })

  it('leaves the page as it was in a transition, until the session was read', async () => {
    expect(await run('ready', 'restored', true)).toEqual(['before', 'ada'])
  })

  it('hands on that the auth was disposed of while it was waited for', async () => {
    expect(await run('ready', 'disposed', false)).toEqual([
      'waiting',
      expect.stringContaining('DisposedError'),
    ])
    expect(takeProblems().length).toBeGreaterThan(0)
  })

  it('goes over to another auth, and leaves the first', async () => {
    expect(await run('swap')).toEqual(['ada ada ', [3, 0], 'grace grace ', [0, 3], [0, 0]])
  })

  it('never mixes what was and what is in one draw', async () => {
    expect(await run('tearing')).toEqual({ mixed: [], inSlices: true })
  })

  it('knows contexts apart', async () => {
    expect(await run('contexts')).toBe('ada grace')
  })
})
