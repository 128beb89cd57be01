import { describe, expect, it } from 'vitest'
import { hasBrowser } from '../support/browsers/engine.ts'
import { until, workerSuite } from './worker-suite.ts'

describe.skipIf(!hasBrowser)('a session in a SharedWorker', () => {
  const { serve, connected, blank } = workerSuite()

  it('is restoring until the worker responds, and then has the state of the worker', async () => {
    const { url } = await serve()
    const opened = await blank()
    const states = await opened.evaluate(async (api) => {
      const first = page.connect({ api })
      await auth.ready()
      return [first, auth.state, auth.session, await page.outcome(auth.refresh())]
    }, url)
    expect(states).toEqual([
      'restoring',
      'anonymous',
      undefined,
      { error: expect.objectContaining({ name: 'SignedOutError', own: true }) },
    ])
  })

  it('can be signed in, refreshed and signed out from the page', async () => {
    const { url, server } = await serve()
    const opened = await connected({ signIn: false })
    const seen = await opened.evaluate(async (url) => {
      const events: string[] = []
      auth.on('*', ({ type }) => type !== 'transition' && events.push(`${type} in ${auth.state}`))
      const session = await auth.signIn({ username: 'ada' })
      const signedIn = [auth.state, session.subject, session === auth.session, session.generation]
      const answer = await (await api(`${url}/api/me`)).json()
      const renewed = await auth.refresh()
      const after = [auth.state, renewed.generation, renewed === auth.session]
      await auth.signOut()
      return {
        signedIn,
        answer,
        after,
        left: [auth.state, auth.session],
        events,
        history: auth.history.length,
      }
    }, url)
    expect(seen).toEqual({
      signedIn: ['authenticated', 'ada', true, 1],
      answer: expect.objectContaining({ subject: 'ada', path: '/api/me', generation: 1 }),
      after: ['authenticated', 2, true],
      left: ['loggedOut', undefined],
      events: ['signedIn in authenticated', 'refreshed in authenticated', 'signedOut in loggedOut'],
      history: expect.any(Number),
    })
    expect(seen.history).toBeGreaterThan(5)
    expect(server.refreshes).toBe(1)
  })

  it.each(['fetch', 'ofetch', 'axios'] as const)(
    'refreshes once for 50 requests by %s with an expired token',
    async (client) => {
      const { url, server } = await serve()
      const opened = await connected()
      server.expireAccessTokens()
      const statuses = await opened.evaluate(
        ([url, client]) => {
          const senders: Record<typeof client, (path: string) => Promise<number>> = {
            fetch: async (path) => (await api(path)).status,
            ofetch: async (path) => (await ofetch.raw(path)).status,
            axios: async (path) => (await http.get(path)).status,
          }
          return Promise.all(Array.from({ length: 50 }, (_, i) => senders[client](`${url}/api/item-${i}`)))
        },
        [url, client] as const,
      )
      expect(statuses).toEqual(Array(50).fill(200))
      expect(server).toMatchObject({ refreshes: 1, reuseDetections: 0 })
    },
  )

  it('is shared by all pages', async () => {
    const { url, server } = await serve()
    const first = await connected({ signIn: false })
    const second = await connected({ signIn: false })
    await first.evaluate(() => auth.signIn({ username: 'ada' }).then(() => {}))
    await until(second, () => auth.session?.subject === 'ada' && auth.state === 'authenticated')
    const answers = await Promise.all(
      [first, second].map((opened, index) =>
        opened.evaluate(async ([url, index]) => (await (await api(`${url}/api/page-${index}`)).json()).path, [
          url,
          index,
        ] as const),
      ),
    )
    expect(answers).toEqual(['/api/page-0', '/api/page-1'])
    expect(server.tokenRequests).toBe(1)
    await second.evaluate(() => auth.signOut())
    await until(first, () => auth.state === 'loggedOut')
  })

  it('does not reveal its token to a page', async () => {
    await serve()
    const opened = await connected()
    const outcomes = await opened.evaluate(async () => [
      await page.outcome(auth.getAccessToken()),
      await page.outcome(auth.getAccessToken({ allowAnonymous: true })),
    ])
    const confined = {
      error: expect.objectContaining({ name: 'TokenConfinedError', code: 'token_confined' }),
    }
    expect(outcomes).toEqual([confined, confined])
  })
})
