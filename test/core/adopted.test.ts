import { describe, expect, it } from 'vitest'
import { memoryStorage } from '../../src/storage/memory.ts'
import { createVirtualClock, settled } from '../../src/testing/virtual-clock.ts'
import { rig, SECRET, tokens, watch } from './auth-setup.ts'

describe('a renewal that finds another sign-in, whose record holds no access token', () => {
  it.each(Array.from({ length: 24 }, (_, jobs) => jobs))(
    'renews that one, whatever the chart hears meanwhile, %i promise jobs later',
    async (jobs) => {
      const storage = memoryStorage()
      const clock = createVirtualClock()
      // Without a channel, nobody hears of anybody.
      const common = { storage, clock, persist: 'refresh-token', renew: 'demand' } as const
      const mine = rig({ ...common, initialTokens: tokens(1, { subject: 'ada' }) })
      await clock.advance(1)
      const other = rig({ ...common, signedOut: true })
      await settled()
      await other.auth.setTokens(tokens(7, { subject: 'ada' }))
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
