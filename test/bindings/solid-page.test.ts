import { readFileSync } from 'node:fs'
import solid from 'vite-plugin-solid'
import { beforeAll, describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { openPages } from './page-suite.ts'
import { bundlePage, loadServer } from './vite-bundles.ts'

type Server = typeof import('./solid/server.tsx')
type Scenarios = typeof import('./solid/page.tsx').scenarios

const WAYS = ['string', 'async', 'stream'] as const
const FIRST = 'restoring, restoring, nobodynot inone moment'
const LAST = 'signedIn, authenticated, adain'

let server: Server

beforeAll(async () => {
  server = await loadServer<Server>('solid/server.tsx', [solid({ ssr: true })])
}, 60_000)

it('the guard of docs/solid.md is the one that is tested here', () => {
  const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8')
  const [, guard = ''] = read('solid/with-session.tsx').split(/(?=export function)/)
  expect(guard).toContain('requireSession')
  expect(read('../../docs/solid.md')).toContain(guard)
})

const textOf = (html: string) => html.replaceAll(/<script.*?<\/script>|<.*?>/gs, '')

describe.each(WAYS)('authchart/solid on a server, rendered as %s', (way) => {
  it('renders that the session is looked for, whoever is signed in, and nobody listens', async () => {
    for (const subject of ['ada', 'grace']) {
      const { html, ...rest } = await server.render(way, subject, { id: `for-${subject}` })
      expect(textOf(html)).toBe(FIRST)
      expect(html).toContain(`id="for-${subject}"`)
      expect(rest).toEqual({ isServer: true, listeners: 0, state: 'authenticated' })
    }
  })

  it('does not wait for a session that only the browser can find', async () => {
    const { html, ...rest } = await server.render(way, undefined, { id: 'anybody', waits: true })
    expect(textOf(html)).toBe(FIRST)
    expect(rest).toEqual({ isServer: true, listeners: 0, state: 'restoring' })
  })
})

describe('authchart/solid on a server', () => {
  it.each(['async', 'stream'] as const)(
    'keeps two users apart whose pages are rendered at the same time, as %s',
    async (way) => {
      const ends: (() => void)[] = []
      const pages = ['ada', 'grace', 'ada', 'grace'].map(async (subject) => {
        const wait = new Promise<void>((resolve) => ends.push(resolve))
        return { subject, ...(await server.render(way, subject, { id: `for-${subject}`, wait })) }
      })
      for (const end of ends.reverse()) end()
      for (const { subject, html } of await Promise.all(pages)) {
        expect(textOf(html).replace('…', '')).toBe(`${FIRST}${subject}`)
        expect(html).not.toContain(subject === 'ada' ? 'grace' : 'ada')
        expect(html).not.toMatch(/[ar]t-(ada|grace)/)
      }
    },
  )
})

describe.skipIf(!hasChromium)('authchart/solid in Chromium', () => {
  const { run } = openPages<Scenarios>(() => bundlePage('solid/page.tsx', [solid({ ssr: true })]))

  it.each(WAYS)(
    'takes over the page of a server without a complaint, though the user is signed in by then: %s',
    async (way) => {
      const { html } = await server.render(way, 'ada', { id: 'for-ada' })
      const { first, seen, ...rest } = await run('hydrate', html, 'for-ada', false, false)
      expect([first, seen.at(-1)]).toEqual([FIRST, LAST])
      expect(rest).toEqual({ same: true, listeners: 0 })
    },
  )

  it.each(WAYS)('takes over a part that waits for the session, and waits: %s', async (way) => {
    const { html } = await server.render(way, undefined, { id: 'anybody', waits: true })
    const { first, seen, ...rest } = await run('hydrate', html, 'anybody', true, true)
    expect(first).toBe(FIRST)
    expect(seen.at(-1)).toBe(`${LAST}private: ada`)
    expect(seen).toContain(`${FIRST}waits`)
    expect(rest).toEqual({ same: true, listeners: 0 })
  })

  it('takes over a part that waits for the session, and need not wait any more', async () => {
    const { html } = await server.render('string', undefined, { id: 'anybody', waits: true })
    const { seen } = await run('hydrate', html, 'anybody', true, false)
    expect(seen.at(-1)).toBe(`${LAST}private: ada`)
    expect(seen.join()).not.toContain('waits')
  })

  it('says what is missing outside of a provider', async () => {
    const missing = (asker: string) =>
      `${asker} found no <AuthProvider> above it. Wrap the app in <AuthProvider auth={auth}>.`
    expect(await run('outside')).toEqual(
      ['useAuth()', 'useSession()', 'useAuthState()', 'useReady()', '<SignedIn>', '<Restoring>'].map(missing),
    )
  })

  it('tells of a change to who selects what changes, and to nobody else', async () => {
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
    expect(await run('keepExpired')).toEqual(['out', 'in', 'out'])
  })

  it('suspends until the session was read', async () => {
    expect(await run('ready', 'restored')).toEqual(['waits', 'private: ada'])
    expect(await run('ready', 'at once')).toEqual(['private: ada', 'private: ada'])
  })

  it('hands on that the auth was disposed of while it was waited for', async () => {
    expect(await run('ready', 'disposed')).toEqual(['waits', 'DisposedError'])
  })

  it('goes over to another auth, and leaves the first', async () => {
    expect(await run('swap')).toEqual([
      ...['ada ada ada ada', 3, 0],
      ...['grace grace grace grace', 0, 3],
      ...['', 0, 0],
    ])
  })

  it('knows contexts apart', async () => {
    expect(await run('contexts')).toBe('ada grace')
  })

  it('guards a page: it is made when somebody is signed in, and leads to the sign-in page and back', async () => {
    const login = '/login?returnTo=%2Fnotes%2F7%3Fpage%3D2%23last, in its place'
    expect(await run('guard')).toEqual([
      ...['', 0],
      ...['sign in', 0, login],
      ...['/notes/7?page=2#last', 'notes', 1],
      ...['sign in', 1, login],
    ])
  })

  it('shows its actor in @xstate/solid as it stands', async () => {
    const { told, listeners } = await run('actor')
    expect(told.slice(0, 2)).toEqual(['generation 1', 'settled'])
    expect(told.filter((line) => line.startsWith('generation'))).toEqual(['generation 1', 'generation 2'])
    expect(told).toContain('busy')
    expect(told.at(-1)).toBe('settled')
    expect(listeners).toEqual([1, 0])
  })
})
