import { describe, expect, it } from 'vitest'
import { hasBrowser } from '../support/browsers/engine.ts'
import { openPages } from './page-suite.ts'
import { bundlePage } from './react-bundles.ts'

describe.skipIf(!hasBrowser)('authchart/react with other libraries, in a browser', () => {
  const { run } = openPages<typeof import('./react-routers-page.tsx').scenarios>(() =>
    bundlePage(19, 'react-routers-page.tsx'),
  )

  it.each(['reactRouter', 'tanstackRouter'] as const)(
    'a guard in %s waits for the session before it loads the page',
    async (router) => {
      expect(await run(router, true)).toEqual({ loads: 1, at: '/notes?page=2#last', shows: 'notes' })
    },
  )

  it.each([
    ['reactRouter', '/login?returnTo=%2Fnotes%3Fpage%3D2'],
    ['tanstackRouter', '/login?returnTo=%2Fnotes%3Fpage%3D2%23last'],
  ] as const)(
    'a guard in %s redirects to %s without a session, and does not load the page',
    async (router, at) => {
      expect(await run(router, false)).toEqual({ loads: 0, at, shows: 'sign in' })
    },
  )

  it('TanStack Query and SWR retry failed requests, unless the session is missing', async () => {
    const { name, query, swr } = await run('retries')
    expect(name).toBe('SignedOutError')
    expect(query).toEqual([1, expect.toSatisfy((attempts: number) => attempts > 1)])
    expect(swr[0]).toEqual({ attempts: 1, retries: 0 })
    expect(swr[1]?.retries).toBeGreaterThan(0)
  })
})
