/**
 * Checks that the model describes the code. Two real tabs take random walks through the model. After each step the
 * following must be equal: charts, store, messages, refresh attempts, presented refresh tokens, and requests with their
 * tokens.
 */
import { describe, expect, it } from 'vitest'
import type { Budget } from './budget.ts'
import { SEARCH_TIMEOUT } from './search.ts'
import { walk } from './walk.ts'

/** Number of walks, divided among the settings. */
const WALKS = process.env.CI ? 200 : 2_000
/** Steps of a walk. */
const STEPS = 18

const SETTINGS: readonly (readonly [title: string, budget: Partial<Budget>])[] = [
  ['refreshes and an early refresh', { invalidations: 2, timers: 1 }],
  ['a sign-out and a sign-in', { invalidations: 1, timers: 1, signOuts: 1, signIns: 1 }],
  ['a network failure', { invalidations: 1, timers: 1, network: 1, signOuts: 1 }],
  ['lock failures', { invalidations: 1, timers: 1, locks: 2, signIns: 1 }],
  ['a store failure and a crash', { invalidations: 1, timers: 1, store: 1, crashes: 1, signOuts: 1 }],
]

describe('exhaustive model and real core', () => {
  it.each(SETTINGS)(
    'two real tabs follow the model step by step with %s',
    { timeout: SEARCH_TIMEOUT },
    async (_, budget) => {
      const walks = WALKS / SETTINGS.length
      let taken = 0
      for (let seed = 1; seed <= walks; seed++) taken += await walk(seed, STEPS, { budget })
      expect(taken / walks, 'steps of a walk, on average').toBeGreaterThan(6)
    },
  )
})
