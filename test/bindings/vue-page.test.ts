import vue from '@vitejs/plugin-vue'
import { beforeAll, describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { openPages } from './page-suite.ts'
import { bundlePage, loadServer } from './vite-bundles.ts'

type Server = typeof import('./vue/server.ts')
type Scenarios = typeof import('./vue/page.ts').scenarios

const RESTORING = '<p>restoring, restoring, nobody</p><p>not in</p><p>one moment</p>'

let server: Server

beforeAll(async () => {
  server = await loadServer<Server>('vue/server.ts', [vue()])
}, 60_000)

describe('authchart/vue on a server', () => {
  const plain = (html: string) => html.replaceAll(/<!--.*?-->/g, '')

  it('renders that the session is looked for, whoever is signed in, and nobody listens', async () => {
    for (const subject of ['ada', 'grace']) {
      const { html, listeners, warnings } = await server.render(subject, { id: `for-${subject}` })
      expect(plain(html)).toBe(`<main id="for-${subject}">${RESTORING}</main>`)
      expect({ listeners, warnings }).toEqual({ listeners: 0, warnings: [] })
    }
  })

  it('keeps two users apart whose pages are rendered at the same time', async () => {
    const ends: (() => void)[] = []
    const pages = ['ada', 'grace', 'ada', 'grace'].map(async (subject) => {
      const wait = new Promise<void>((resolve) => ends.push(resolve))
      return { subject, ...(await server.render(subject, { id: `for-${subject}`, wait })) }
    })
    for (const end of ends.reverse()) end()
    for (const { subject, html, warnings } of await Promise.all(pages)) {
      expect(plain(html)).toBe(`<main id="for-${subject}">${RESTORING}</main><b>${subject}</b>`)
      expect(html).not.toMatch(/[ar]t-(ada|grace)/)
      expect(warnings).toEqual([])
    }
  })

  it('does not wait for a session that only the browser can find', async () => {
    const { html, state, listeners } = await server.render(undefined, { id: 'anybody', waits: true })
    expect(state).toBe('restoring')
    expect(plain(html)).toBe(`<main id="anybody">${RESTORING}<p>private: nobody, nobody</p></main>`)
    expect(listeners).toBe(0)
  })
})

describe.skipIf(!hasChromium)('authchart/vue in Chromium', () => {
  const { run } = openPages<Scenarios>(() => bundlePage('vue/page.ts', [vue()]))

  const IN = 'signedIn, authenticated, adain'

  it('takes over the page of a server without a complaint, though the user is signed in by then', async () => {
    const { html } = await server.render('ada', { id: 'for-ada' })
    const first = 'restoring, restoring, nobodynot inone moment'
    expect(await run('hydrate', html, 'for-ada', false)).toEqual([first, IN, true, 0])
  })

  it('takes over what waits for the session, and sees it come', async () => {
    const { html } = await server.render(undefined, { id: 'anybody', waits: true })
    const first = 'restoring, restoring, nobodynot inone momentprivate: nobody, nobody'
    expect(await run('hydrate', html, 'anybody', true)).toEqual([first, `${IN}private: ada, ada`, true, 0])
  })

  it('takes over a part of it long after the rest', async () => {
    const { html } = await server.render('ada', { id: 'for-ada', late: server.late })
    const seen = await run('hydrateLate', html, 'for-ada')
    const restoring = 'restoring, restoring, nobody'
    expect(seen).toEqual([restoring, restoring, 'signedIn, authenticated, ada', true])
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

  it('keeps a session that has expired on the page, where the plugin is told so', async () => {
    const seen = await run('views', true)
    expect(seen.slice(seen.indexOf('signing in again') + 1)).toEqual([
      'in',
      ...['in expired', 'expired', 'in expired', 'signing in after it expired', 'in expired'],
      ...['in', 'back', 'in', '- out', 'left', '- out'],
    ])
  })

  it('suspends until the session was read', async () => {
    expect(await run('ready', 'restored')).toEqual(['waits', 'private: ada, ada'])
  })

  it('hands on that the auth was disposed of while it was waited for', async () => {
    expect(await run('ready', 'disposed')).toEqual(['waits', 'DisposedError'])
  })

  it('hears of changes where it is asked for in a hook', async () => {
    expect(await run('inHook')).toEqual(['nobody', 1, 0])
  })

  it('knows contexts apart, and leaves both when the app is unmounted', async () => {
    expect(await run('contexts')).toEqual(['ada and grace', [1, 1], 'ada and lise', [0, 0]])
  })
})
