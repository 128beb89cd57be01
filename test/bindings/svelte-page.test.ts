import { svelte } from '@sveltejs/vite-plugin-svelte'
import { beforeAll, describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { openPages } from './page-suite.ts'
import { bundlePage, loadServer } from './vite-bundles.ts'

type Server = typeof import('./svelte/server.ts')
type Scenarios = typeof import('./svelte/page.ts').scenarios

const RESTORING =
  '<p><img alt="" src="data:,restoring"/>restoring, restoring, nobody</p> <p>not in</p> <p>one moment</p>'

let server: Server

beforeAll(async () => {
  const plugin = svelte({ configFile: false, compilerOptions: { experimental: { async: true } } })
  server = await loadServer<Server>('svelte/server.ts', [plugin])
}, 60_000)

describe('authchart/svelte on a server', () => {
  const plain = (html: string) => html.replaceAll(/<!--.*?-->/g, '').replaceAll(/\s+/g, ' ')

  it('renders that the session is looked for, whoever is signed in, and nobody listens', async () => {
    for (const subject of ['ada', 'grace']) {
      const { body, listeners } = await server.render(subject, `for-${subject}`)
      expect(plain(body)).toContain(`<main id="for-${subject}">${RESTORING} </main>`)
      expect(listeners).toBe(0)
    }
  })

  it('keeps two users apart whose pages are rendered at the same time', async () => {
    const ends: (() => void)[] = []
    const pages = ['ada', 'grace', 'ada', 'grace'].map(async (subject) => {
      const wait = new Promise<void>((resolve) => ends.push(resolve))
      return { subject, ...(await server.render(subject, `for-${subject}`, wait)) }
    })
    for (const end of ends.reverse()) end()
    for (const { subject, body, listeners } of await Promise.all(pages)) {
      expect(plain(body)).toContain(`<main id="for-${subject}">${RESTORING}`)
      expect(body).toContain(`<b>${subject}</b>`)
      expect(body).not.toContain(subject === 'ada' ? 'grace' : 'ada')
      expect(body).not.toMatch(/[ar]t-(ada|grace)/)
      expect(listeners).toBe(0)
    }
  })

  it('does not wait for a session that only the browser can find', async () => {
    const { body, state } = await server.render(undefined, 'anybody')
    expect(state).toBe('restoring')
    expect(plain(body)).toContain(RESTORING)
  })

  it('renders of a store, and of an auth that is given, what is true for everybody', async () => {
    const { body, listeners } = await server.renderStores('ada')
    expect(plain(body).trim()).toBe(', restoring,')
    expect(listeners).toBe(0)
  })
})

describe.skipIf(!hasChromium)('authchart/svelte in Chromium', () => {
  const { run } = openPages<Scenarios>(() => bundlePage('svelte/page.ts', [svelte({ configFile: false })]))

  it('takes over the page of a server without a complaint, though the user is signed in by then', async () => {
    const { body } = await server.render('ada', 'for-ada')
    expect(await run('hydrate', body, 'for-ada')).toEqual([
      'signedIn, authenticated, ada in',
      'data:,signedIn',
      true,
      0,
    ])
  })

  it('shows one view at a time, which a refresh and a sign-in leave as it is', async () => {
    expect(await run('views', false)).toEqual([
      '- restoring restoring',
      ...['- out signedOut', '(nobody)', '(signing in)'],
      ...['in signedIn', '(signed in)', '(refreshing)'],
      ...['- out expired expired', '(expired)', '(signing in after it expired)'],
      ...['in signedIn', '(back)'],
      ...['- out signedOut', '(left)'],
    ])
  })

  it('keeps a session that has expired on the page, where setAuth is told so', async () => {
    const seen = await run('views', true)
    expect(seen.slice(seen.indexOf('(refreshing)') + 1)).toEqual([
      ...['in expired expired', '(expired)', '(signing in after it expired)'],
      ...['in signedIn', '(back)'],
      ...['- out signedOut', '(left)'],
    ])
  })

  it('draws a selection again when it changes, and then only', async () => {
    const { counted, values } = await run('draws')
    const none = { subject: 0, pair: 0, equalPair: 0, whole: 0, state: 0, held: 0, chosen: 0 }
    const [, renewed, failed, held, chosen, other] = counted
    expect(renewed).toEqual({ ...none, pair: 1, whole: 1, state: 2 })
    expect(failed).toEqual(none)
    expect(held).toEqual({ ...none, held: 1 })
    expect(chosen).toEqual({ ...none, chosen: 1 })
    expect(other).toEqual({ ...none, subject: 1, pair: 1, equalPair: 1, whole: 1, chosen: 1 })
    expect(values).toEqual(['grace', 3, 2, true])
  })

  it('knows contexts apart, and leaves both when the app is unmounted', async () => {
    expect(await run('contexts')).toEqual(['ada and grace', [1, 1], 'ada and lise', [0, 0]])
  })

  it('says what is missing where no auth was set', async () => {
    const missing = (asker: string) =>
      `${asker}() found no auth. Call setAuth(auth) in a component above, such as the root layout.`
    expect(await run('outside')).toEqual(
      ['getAuth', 'useSession', 'useAuthState', 'useAuthView'].map(missing),
    )
  })

  it('has stores that listen while somebody listens to them, and tell of changes only', async () => {
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

  it('may be told of a change in the midst of a derivation', async () => {
    expect(await run('derived')).toBe(1)
  })

  it('leaves the actor to useSelector of @xstate/svelte', async () => {
    expect(await run('selector')).toEqual([[1, 2], 0])
  })
})
