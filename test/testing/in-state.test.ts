import { describe, expect, it } from 'vitest'
import { authMachine } from '../../machines/index.ts'
import { createTestBed, inState } from '../../src/testing/index.ts'
import { isInState, pathOf, statesOf } from '../../src/testing/model/chart-parts.ts'

const states = statesOf(authMachine.root).map(pathOf).filter(Boolean)

describe('inState', () => {
  it.each(states)('inState brings a session into %s', async (state) => {
    const bed = await inState(state)
    try {
      expect(isInState(bed.auth.actor.getSnapshot().value, state)).toBe(true)
      expect(bed.look().outcomes).toEqual([])
    } finally {
      await bed.close()
    }
  })

  it('a session can continue after inState', async () => {
    const bed = await inState('refreshing.gate.closed')
    bed.send('/api/me')
    await bed.settle()
    expect(bed.look().held).toBeGreaterThan(0)
    await bed.endpoint.set('answers', bed.settle)
    expect(bed.look()).toMatchObject({ place: 'authenticated.refreshable', held: 0 })
    await bed.close()
  })

  it('a store that inState holds can be released', async () => {
    const bed = await inState('restoring.reading')
    bed.store.release()
    await bed.settle()
    expect(bed.auth.state).toBe('anonymous')
    await bed.close()
  })

  it('a test bed passes timeouts that no setting has to its session', async () => {
    const bed = await createTestBed({ holdsStore: true, auth: { timeouts: { storage: 20 } } })
    await bed.pass(19)
    expect(bed.auth.state).toBe('restoring')
    await bed.pass(1)
    expect(bed.auth.state).toBe('anonymous')
    expect(bed.look().emitted).toEqual(['storageFailed'])
    await bed.close()
  })

  it('inState rejects for an unknown state and for a state that the options make unreachable', async () => {
    await expect(inState('refreshing.gate')).resolves.toMatchObject({ auth: { state: 'refreshing' } })
    await expect(inState('signedIn')).rejects.toThrow(/no state signedIn\. It has restoring, /)
    await expect(inState('refreshing.attempt.ambiguous', { start: 'noStorage' })).rejects.toThrow(
      'no steps lead to refreshing.attempt.ambiguous',
    )
  })
})
