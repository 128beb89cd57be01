import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { PopupWindow } from '../../src/environment/global-types.ts'
import type { AuthOptions } from '../../src/index.ts'
import { type OAuthOptions, popupOfPage, type SignInRequest } from '../../src/oauth2/index.ts'
import { connect, startIssuer } from './issuer.ts'

/** A window as `popupOfPage` makes them: an object that reaches the window of another page. */
function createWindow() {
  const addresses: string[] = []
  let isClosed = false
  const window = {
    get closed() {
      return isClosed
    },
    location: { replace: (url: string | URL) => void addresses.push(String(url)) },
    close: () => {
      isClosed = true
    },
  } as unknown as PopupWindow
  return { window, addresses }
}

async function setUp(options: Partial<OAuthOptions> = {}, more: Partial<AuthOptions<SignInRequest>> = {}) {
  const issuer = await startIssuer()
  const { auth } = await connect(issuer, options, more)
  const { window, addresses } = createWindow()
  const signedIn = auth.signIn({ via: 'popup', window }).then(
    () => 'signed in',
    (error) => error.reason ?? error.code,
  )
  return { issuer, auth, window, addresses, signedIn, isSent: () => vi.waitUntil(() => addresses.length > 0) }
}

const silent: typeof fetch = () => new Promise(() => {})

describe('the window of a sign-in is closed', () => {
  test.each<[string, Partial<OAuthOptions>]>([
    ['', {}],
    [' while the metadata is on its way', { fetch: silent }],
  ])('when the user signs out%s', async (_, options) => {
    const { auth, window, isSent, signedIn } = await setUp(options)
    if (options.fetch) await vi.waitUntil(() => auth.state === 'authenticating')
    else await isSent()
    await auth.signOut()
    await vi.waitUntil(() => window.closed)
    expect(await signedIn).toBe('signed_out')
  })

  test('when another sign-in replaces it', async () => {
    const { auth, window, isSent, signedIn } = await setUp()
    await isSent()
    const next = createWindow()
    auth.signIn({ via: 'popup', window: next.window }).catch(() => {})
    await vi.waitUntil(() => window.closed)
    expect(await signedIn).toBe('superseded')
    await vi.waitUntil(() => next.addresses.length > 0)
    expect(next.window.closed).toBe(false)
  })

  test('when the session is disposed', async () => {
    const { auth, window, isSent } = await setUp()
    await isSent()
    auth.dispose()
    await vi.waitUntil(() => window.closed)
  })

  test('when the time of the app is up', async () => {
    const { window, signedIn } = await setUp({}, { timeouts: { signIn: 100 } })
    expect(await signedIn).toBe('timeout')
    await vi.waitUntil(() => window.closed)
  })

  test('when the server cannot be reached', async () => {
    const { window, signedIn } = await setUp({ issuer: 'http://127.0.0.1:1' })
    expect(await signedIn).toBe('discovery_failed')
    expect(window.closed).toBe(true)
  })

  test('when its answer is an error', async () => {
    const { issuer, window, addresses, isSent, signedIn } = await setUp()
    await isSent()
    const { search, searchParams } = issuer.answer(new URL(addresses[0] ?? ''), { error: 'access_denied' })
    const channel = new BroadcastChannel(`authchart.oauth2.${searchParams.get('state')}`)
    channel.postMessage(search)
    expect(await signedIn).toBe('access_denied')
    channel.close()
    expect(window.closed).toBe(true)
  })
})

test('a window of a page may be closed by the app, too', async () => {
  const page = new BroadcastChannel('authchart.oauth2.pages.sign-in')
  onTestFinished(() => page.close())
  page.onmessage = ({ data }) => {
    if (data.type === 'ask') page.postMessage({ type: 'opened', id: data.id, page: 'page' })
  }
  const window = await popupOfPage('sign-in', { signal: new AbortController().signal })
  window?.close()
  expect(window?.closed).toBe(true)
  expect(() => window?.close()).not.toThrow()
})
