import { describe, expect, onTestFinished, test, vi } from 'vitest'
import type { PopupWindow } from '../../src/environment/global-types.ts'
import type { AuthOptions } from '../../src/index.ts'
import {
  dpopProofs,
  memoryTransactions,
  type OAuthOptions,
  popupOfPage,
  type SignInRequest,
} from '../../src/oauth2/index.ts'
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
  const store = memoryTransactions()
  const { auth } = await connect(issuer, { transactions: store, ...options }, more)
  const { window, addresses } = createWindow()
  const signedIn = auth.signIn({ via: 'popup', window }).then(
    () => 'signed in',
    (error) => error.reason ?? error.code,
  )
  return {
    issuer,
    store,
    auth,
    window,
    addresses,
    signedIn,
    isSent: () => vi.waitUntil(() => addresses.length > 0),
  }
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

  test('when no key can be stored, so that the sign-in does not begin', async () => {
    const fail = () => Promise.reject(new Error('full'))
    const { window, signedIn } = await setUp({
      dpop: dpopProofs({ keys: { get: fail, add: fail, remove: fail } }),
    })
    expect(await signedIn).toBe('key_unavailable')
    expect(window.closed).toBe(true)
  })

  test('when the session was disposed before', async () => {
    const { auth } = await setUp()
    auth.dispose()
    const { window } = createWindow()
    await expect(auth.signIn({ via: 'popup', window })).rejects.toMatchObject({ code: 'disposed' })
    expect(window.closed).toBe(true)
  })

  test('when two sign-ins begin at once, for the first one', async () => {
    const { auth, window, signedIn } = await setUp()
    const next = createWindow()
    auth.signIn({ via: 'popup', window: next.window }).catch(() => {})
    expect(await signedIn).toBe('superseded')
    expect(window.closed).toBe(true)
    expect(next.window.closed).toBe(false)
  })

  test.each<[string, (auth: { signOut(): Promise<void>; dispose(): void }) => unknown]>([
    ['the user signs out', (auth) => auth.signOut()],
    ['the session is disposed', (auth) => auth.dispose()],
  ])('and nothing of the sign-in stays in its store when %s', async (_, end) => {
    const { auth, store, isSent } = await setUp()
    await isSent()
    expect([...(await store.keys())]).toHaveLength(1)
    await end(auth)
    await vi.waitUntil(async () => [...(await store.keys())].length === 0)
  })

  test('and nothing of the sign-in stays in its store when it cannot start', async () => {
    const { store, signedIn } = await setUp({ par: 'always' })
    await signedIn
    expect([...(await store.keys())]).toEqual([])
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

test('a sign-in whose window was closed says so, although its entry cannot be removed', async () => {
  const transactions = memoryTransactions()
  const remove = () => Promise.reject(new DOMException('', 'SecurityError'))
  const { window, signedIn } = await setUp({ transactions: { ...transactions, remove } })
  window.close()
  expect(await signedIn).toBe('popup_closed')
})

test('a message that is not the answer of this sign-in is ignored', async () => {
  const { issuer, addresses, isSent, signedIn } = await setUp()
  await isSent()
  const { search, searchParams } = issuer.answer(new URL(addresses[0] ?? ''))
  const channel = new BroadcastChannel(`authchart.oauth2.${searchParams.get('state')}`)
  onTestFinished(() => channel.close())
  for (const foreign of ['taken', 'code=stolen&state=another', '', null, { state: 'object' }, search])
    channel.postMessage(foreign)
  expect(await signedIn).toBe('signed in')
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
