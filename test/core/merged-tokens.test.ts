import { describe, expect, it } from 'vitest'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createVirtualClock, settled } from '../../src/testing/virtual-clock.ts'
import { createHarness, LIFETIME, SECRET, tokens, watch } from './auth-setup.ts'

/** A signed-in tab. After that many milliseconds, the user signs in in another tab, and no channel and no lock connects the two. */
async function separateTabs(after: number) {
  const storage = memoryStorage()
  const clock = createVirtualClock()
  const common = { clock, persist: 'refresh-token', refreshOn: 'demand' } as const
  const mine = createHarness({
    ...common,
    storage: { ...storage },
    initialTokens: tokens(1, { subject: 'ada' }),
  })
  await clock.advance(after)
  const other = createHarness({ ...common, storage: { ...storage }, signedOut: true })
  await settled()
  await other.auth.setTokens(tokens(7, { subject: 'ada' }))
  return mine
}

describe('a refresh that finds another sign-in in the store, whose record has no access token', () => {
  it('holds requests until the other session has been refreshed', async () => {
    const mine = await separateTabs(LIFETIME)
    const asked = watch(mine.auth.getAccessToken())
    const refreshed = watch(mine.auth.refresh())
    await settled()
    expect(mine.emitted()).toEqual(['requestHeld', 'signedIn'])
    expect([asked.state, refreshed.state]).toEqual(['pending', 'pending'])
    expect(mine.refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-7`)
    mine.refresh.call().resolve(tokens(8))
    await settled()
    expect(asked.value).toBe(`${SECRET}-at-8`)
    expect(refreshed.value).toBe(mine.auth.session)
  })

  it.each(Array.from({ length: 24 }, (_, jobs) => jobs))(
    'refreshes the other session, even if the page becomes visible %i microtasks later',
    async (jobs) => {
      const mine = await separateTabs(1)
      // The current access token still works, so requests pass while the app waits for a newer one.
      const refreshed = watch(mine.auth.refresh())
      for (let job = 0; job < jobs; job++) await undefined
      mine.outside.signal('visible')
      await settled()
      expect(refreshed.state).toBe('pending')
      expect(mine.refresh.calls.map(({ argument }) => argument.refreshToken)).toEqual([`${SECRET}-rt-7`])
      mine.refresh.call().resolve(tokens(8))
      await settled()
      expect(refreshed.value).toBe(mine.auth.session)
      expect(await mine.auth.getAccessToken()).toBe(`${SECRET}-at-8`)
    },
  )
})
