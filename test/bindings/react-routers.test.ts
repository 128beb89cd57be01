import { describe, expect, it } from 'vitest'
import { hasChromium } from '../support/chromium.ts'
import { openPages } from './page-suite.ts'
import { bundlePage } from './react-bundles.ts'

describe.skipIf(!hasChromium)('what stands beside authchart/react, in Chromium', () => {
  const { run } = openPages<typeof import('./react-routers-page.tsx').scenarios>(() =>
    bundlePage(19, 'react-routers-page.tsx'),
  )

  it.each(['reactRouter', 'tanstackRouter'] as const)(
    'a guard in %s waits for the session, and then loads the page',
    async (router) => {
      expect(await run(router, true)).toEqual({ loads: 1, at: '/notes?page=2#last', shows: 'notes' })
    },
  )

  it.each([
    ['reactRouter', '/login?returnTo=%2Fnotes%3Fpage%3D2'],
    ['tanstackRouter', '/login?returnTo=%2Fnotes%3Fpage%3D2%23last'],
  ] as const)('a guard in %s leads to %s where there is none, and loads nothing', async (router, at) => {
    expect(await run(router, false)).toEqual({ loads: 0, at, shows: 'sign in' })
  })

  it('TanStack Query and SWR try again what failed, but not for want of a session', async () => {
    const { name, query, swr } = await run('retries')
    expect(name).toBe('SignedOutError')
    expect(query).toEqual([1, expect.toSatisfy((tries: number) => tries > 1)])
    expect(swr[0]).toEqual({ tries: 1, retries: 0 })
    expect(swr[1]?.retries).toBeGreaterThan(0)
  })
})
