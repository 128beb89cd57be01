import { describe, expect, it } from 'vitest'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createVirtualClock, settled } from '../../src/testing/virtual-clock.ts'
import { LIFETIME, rig, SECRET, tokens, watch } from './auth-setup.ts'

/** A tab that is signed in; after so many milliseconds its user signs in elsewhere, and without a channel it hears nothing. */
async function strangers(after: number) {
  const storage = memoryStorage()
  const clock = createVirtualClock()
  const common = { storage, clock, persist: 'refresh-token', renew: 'demand' } as const
  const mine = rig({ ...common, initialTokens: tokens(1, { subject: 'ada' }) })
  await clock.advance(after)
  const other = rig({ ...common, signedOut: true })
  await settled()
  await other.auth.setTokens(tokens(7, { subject: 'ada' }))
  return mine
}

describe('a renewal that finds another sign-in, whose record holds no access token', () => {
  it('keeps who waits waiting for its exchange', async () => {
    const mine = await strangers(LIFETIME)
    const asked = watch(mine.auth.getAccessToken())
    const renewed = watch(mine.auth.refresh())
    await settled()
    expect(mine.told()).toEqual(['requestHeld', 'signedIn'])
    expect([asked.state, renewed.state]).toEqual(['pending', 'pending'])
    expect(mine.refresh.call().argument.refreshToken).toBe(`${SECRET}-rt-7`)
    mine.refresh.call().resolve(tokens(8))
    await settled()
    expect(asked.value).toBe(`${SECRET}-at-8`)
    expect(renewed.value).toBe(mine.auth.session)
  })

  it.each(Array.from({ length: 24 }, (_, jobs) => jobs))(
    'renews that one, whatever the chart hears meanwhile, %i promise jobs later',
    async (jobs) => {
      const mine = await strangers(1)
      // The token at hand still works, so that requests pass while the app waits for a newer one.
      const renewed = watch(mine.auth.refresh())
      for (let job = 0; job < jobs; job++) await undefined
      mine.outside.signal('visible')
      await settled()
      expect(renewed.state).toBe('pending')
      expect(mine.refresh.calls.map(({ argument }) => argument.refreshToken)).toEqual([`${SECRET}-rt-7`])
      mine.refresh.call().resolve(tokens(8))
      await settled()
      expect(renewed.value).toBe(mine.auth.session)
      expect(await mine.auth.getAccessToken()).toBe(`${SECRET}-at-8`)
    },
  )
})
