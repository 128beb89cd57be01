import { describe, expect, it } from 'vitest'
import { authMachine } from '../../machines/index.ts'
import { inState } from '../../src/testing/index.ts'
import { isInState, pathOf, statesOf } from '../../src/testing/model/chart-parts.ts'

const states = statesOf(authMachine.root).map(pathOf).filter(Boolean)

describe('inState', () => {
  it.each(states)('brings a session into %s', async (state) => {
    const bed = await inState(state)
    try {
      expect(isInState(bed.auth.actor.getSnapshot().value, state)).toBe(true)
      expect(bed.look().outcomes).toEqual([])
    } finally {
      await bed.close()
    }
  })

  it('leaves a session that goes on from there', async () => {
    const bed = await inState('refreshing.gate.closed')
    bed.send('/api/me')
    await bed.settle()
    expect(bed.look().held).toBeGreaterThan(0)
    await bed.endpoint.set('answers', bed.settle)
    expect(bed.look()).toMatchObject({ place: 'authenticated.renewable', held: 0 })
    await bed.close()
  })

  it('leaves a store that can be read on', async () => {
    const bed = await inState('restoring.reading')
    bed.store.release()
    await bed.settle()
    expect(bed.auth.state).toBe('anonymous')
    await bed.close()
  })

  it('says so where there is no such state, and where nothing leads there', async () => {
    await expect(inState('refreshing.gate')).resolves.toMatchObject({ auth: { state: 'refreshing' } })
    await expect(inState('signedIn')).rejects.toThrow(/no state signedIn\. It has restoring, /)
    await expect(inState('refreshing.exchange.uncertain', { start: 'noStorage' })).rejects.toThrow(
      'nothing leads to refreshing.exchange.uncertain',
    )
  })
})
