import { readFileSync } from 'node:fs'
import solid from 'vite-plugin-solid'
import { beforeAll, describe, expect, it } from 'vitest'
import { hasBrowser } from '../support/browsers/engine.ts'
import { openPages } from './page-suite.ts'
import { renderConcurrently, testViews } from './page-tests.ts'
import { initialSession } from './server-session.ts'
import { bundlePage, loadServer } from './vite-bundles.ts'

type Server = typeof import('./solid/server.tsx')
type Scenarios = typeof import('./solid/page.tsx').scenarios

const WAYS = ['string', 'async', 'stream'] as const
const FIRST = 'restoring, restoring, nobodynot inone moment'
const LAST = 'signedIn, authenticated, adain'

let server: Server

beforeAll(async () => {
  server = await loadServer<Server>('solid/server.tsx', [solid({ ssr: true })])
}, 180_000)

it('docs/frameworks/solid.md contains the guard that is tested here', () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
  const [, guard = ''] = read('solid/with-session.tsx').split(/(?=export function)/)
  expect(guard).toContain('requireSession')
  expect(read('../../docs/frameworks/solid.md')).toContain(guard)
})

const textOf = (html: string) => html.replaceAll(/<script.*?<\/script>|<.*?>/gs, '')

describe.each(WAYS)('authchart/solid on a server, rendered as %s', (way) => {
  it('renders the restoring state for every user, and adds no listener', async () => {
    for (const subject of ['ada', 'grace']) {
      const { html, ...rest } = await server.render(way, subject, { id: `for-${subject}` })
      expect(textOf(html)).toBe(FIRST)
      expect(html).toContain(`id="for-${subject}"`)
      expect(rest).toEqual({ isServer: true, listeners: 0, state: 'authenticated' })
    }
  })

  it('does not wait for a session that is stored in the browser', async () => {
    const { html, ...rest } = await server.render(way, undefined, { id: 'anybody', waits: true })
    expect(textOf(html)).toBe(FIRST)
    expect(rest).toEqual({ isServer: true, listeners: 0, state: 'restoring' })
  })
})

describe('authchart/solid on a server', () => {
  it.each(['async', 'stream'] as const)(
    'keeps the users of concurrently rendered pages apart, rendered as %s',
    async (way) => {
      const pages = await renderConcurrently((subject, wait) =>
        server.render(way, subject, { id: `for-${subject}`, wait }),
      )
      for (const { subject, html } of pages) {
        expect(textOf(html).replace('…', '')).toBe(`${FIRST}${subject}`)
        expect(html).not.toContain(subject === 'ada' ? 'grace' : 'ada')
        expect(html).not.toMatch(/[ar]t-(ada|grace)/)
      }
    },
  )
})

const KNOWN = (subject: string) => `signedIn, authenticated, ${subject}inprivate: ${subject}`

describe('authchart/solid on a server that knows its users', () => {
  it.each(['async', 'stream'] as const)(
    'renders their pages concurrently, each for its own user, rendered as %s',
    async (way) => {
      const pages = await renderConcurrently((subject, wait) => server.renderInitial(way, subject, wait))
      for (const { subject, html } of pages) {
        expect(textOf(html).replace('…', '')).toBe(`${KNOWN(subject)}${subject}`)
        expect(html).not.toContain(subject === 'ada' ? 'grace' : 'ada')
      }
    },
  )
})

describe.skipIf(!hasBrowser)('authchart/solid in a browser', () => {
  const { run } = openPages<Scenarios>(() => bundlePage('solid/page.tsx', [solid({ ssr: true })]))

  it.each(WAYS)(
    'hydrates the page of a server without a warning if the user is signed in by then: %s',
    async (way) => {
      const { html } = await server.render(way, 'ada', { id: 'for-ada' })
      const { first, seen, ...rest } = await run('hydrate', html, 'for-ada', false, false)
      expect([first, seen.at(-1)]).toEqual([FIRST, LAST])
      expect(rest).toEqual({ same: true, listeners: 0 })
    },
  )

  it.each(WAYS)('hydrates the page of a signed-in user, and never shows another view: %s', async (way) => {
    const { html } = await server.renderInitial(way, 'ada')
    const seen = await run('hydrateInitial', html, 'for-ada', initialSession('ada'))
    expect(seen).toEqual({ seen: [KNOWN('ada')], same: true })
  })

  it.each(WAYS)('hydrates a part that waits for the session, and keeps waiting: %s', async (way) => {
    const { html } = await server.render(way, undefined, { id: 'anybody', waits: true })
    const { first, seen, ...rest } = await run('hydrate', html, 'anybody', true, true)
    expect(first).toBe(FIRST)
    expect(seen.at(-1)).toBe(`${LAST}private: ada`)
    expect(seen).toContain(`${FIRST}waits`)
    expect(rest).toEqual({ same: true, listeners: 0 })
  })

  it('hydrates a part that waits for a session that is already there', async () => {
    const { html } = await server.render('string', undefined, { id: 'anybody', waits: true })
    const { seen } = await run('hydrate', html, 'anybody', true, false)
    expect(seen.at(-1)).toBe(`${LAST}private: ada`)
    expect(seen.join()).not.toContain('waits')
  })

  it('throws an explanatory error without a provider', async () => {
    const missing = (caller: string) =>
      `${caller} found no <AuthProvider> above it. Wrap the app in <AuthProvider auth={auth}>.`
    expect(await run('outside')).toEqual(
      ['useAuth()', 'useSession()', 'useAuthState()', 'useReady()', '<SignedIn>', '<Restoring>'].map(missing),
    )
  })

  it('notifies only the selections whose value changes', async () => {
    expect(await run('selections')).toEqual([
      'subject ada,pair ada,1,equalPair ada,1,whole [object Object],state authenticated,view signedIn,held 0,field ada',
      8,
      'state',
      'pair,state,whole',
      '',
      'held',
      'field 1',
      1,
      '',
      0,
    ])
  })

  testViews((keepExpired) => run('views', keepExpired))

  it('follows a change of keepExpired', async () => {
    expect(await run('keepExpired')).toEqual(['out', 'in', 'out'])
  })

  it('follows the session while Suspense waits for other data', async () => {
    expect(await run('waiting')).toEqual(['loads ada', 'wait', 'loads grace', 'wait', 'nobody', 0])
  })

  it('suspends until the stored session has been read', async () => {
    expect(await run('ready', 'restored')).toEqual(['waits', 'private: ada'])
    expect(await run('ready', 'at once')).toEqual(['private: ada', 'private: ada'])
  })

  it('passes on the DisposedError if the auth is disposed of while it waits', async () => {
    expect(await run('ready', 'disposed')).toEqual(['waits', 'DisposedError'])
  })

  it('waits again if the error boundary is reset after a wait that failed, wherever the resource is', async () => {
    expect(await run('recover', 'outside')).toEqual([
      ...['lost', 1, 'waits', 'lost', 2, 'waits'],
      ...['waits', 3, 'adaada'],
    ])
    expect(await run('recover', 'inside')).toEqual(['lost', 2, 'waits', 'waits', 4, 'adaada'])
  })

  it('switches to another auth, and stops listening to the first', async () => {
    expect(await run('swap')).toEqual([
      ...['ada ada ada ada', 3, 0],
      ...['grace grace grace grace', 0, 3],
      ...['', 0, 0],
    ])
  })

  it('keeps two contexts apart', async () => {
    expect(await run('contexts')).toBe('ada grace')
  })

  it('guards a page: redirects to the sign-in page and back, and creates the page for a signed-in user only', async () => {
    const login = '/login?returnTo=%2Fnotes%2F7%3Fpage%3D2%23last, in its place'
    expect(await run('guard')).toEqual([
      ...['', 0],
      ...['sign in', 0, login],
      ...['/notes/7?page=2#last', 'notes', 1],
      ...['sign in', 1, login],
    ])
  })

  it('shows the current snapshot of its actor in @xstate/solid', async () => {
    const { log, listeners } = await run('actor')
    expect(log.slice(0, 2)).toEqual(['generation 1', 'settled'])
    expect(log.filter((line) => line.startsWith('generation'))).toEqual(['generation 1', 'generation 2'])
    expect(log).toContain('busy')
    expect(log.at(-1)).toBe('settled')
    expect(listeners).toEqual([1, 0])
  })
})
