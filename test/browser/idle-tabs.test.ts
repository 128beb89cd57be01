import { describe, expect, it } from 'vitest'
import { hasBrowser } from '../support/browsers/engine.ts'
import { everywhere, past, tabsSuite } from './tabs-suite.ts'

const IDLE = 2_000

describe.skipIf(!hasBrowser)('tabs of a session with an idle limit', () => {
  const { serve, profile, signedIn, start } = tabsSuite()

  describe.each(['web', 'encrypted'] as const)('with the store %s', (store) => {
    const options = { store, limits: { idle: IDLE } } as const

    it('stay signed in while one of them is used, and expire together when none is', async () => {
      await serve()
      const pages = await signedIn(3, options)
      const [used, ...idle] = pages
      const statuses = await used.evaluate((idle) => tab.requestConstantly(2.5 * idle, 50), IDLE)
      expect(Object.keys(statuses)).toEqual(['200'])
      for (const page of idle) expect(await page.evaluate(() => tab.state())).toBe('authenticated')

      await everywhere(pages, () => tab.state() === 'expired')
      const reasons = await Promise.all(pages.map((page) => page.evaluate(() => tab.reasons('expired'))))
      expect(reasons.flat()).toEqual(Array(3).fill('idle'))
    })

    it('count the time after the last of them was closed', async () => {
      await serve()
      const tabs = await profile()
      // The second tab restores the session from the store, so the store contains it when both are closed.
      for (const page of await signedIn(2, options, tabs)) await page.close()
      await past(Date.now() + IDLE)
      const third = await tabs.open()
      expect(await start(third, options)).toBe('expired')
      expect(await third.evaluate(() => tab.reasons('expired'))).toEqual(['idle'])
    })
  })
})
