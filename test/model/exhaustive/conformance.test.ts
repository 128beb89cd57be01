/**
 * Is the model about the code? Random ways through the model are taken by two real tabs as well, and after each step both
 * must be at the same place: charts, store, messages, exchanges, refresh tokens presented, requests and their tokens.
 */
import { describe, expect, it } from 'vitest'
import type { Budget } from './budget.ts'
import { walk } from './walk.ts'

/** In all, shared out among the settings. */
const WALKS = 200
const STEPS = 18

const SETTINGS: readonly (readonly [title: string, budget: Partial<Budget>])[] = [
  ['refreshes and an early renewal', { deaths: 2, timers: 1 }],
  ['a sign-out and a sign-in', { deaths: 1, timers: 1, signOuts: 1, signIns: 1 }],
  ['a network that fails', { deaths: 1, timers: 1, network: 1, signOuts: 1 }],
  ['locks that fail', { deaths: 1, timers: 1, locks: 2, signIns: 1 }],
  ['a store that fails, and a crash', { deaths: 1, timers: 1, store: 1, crashes: 1, signOuts: 1 }],
]

describe('the model and the code go the same ways', () => {
  it.each(SETTINGS)('with %s', async (_, budget) => {
    const walks = WALKS / SETTINGS.length
    let taken = 0
    for (let seed = 1; seed <= walks; seed++) taken += await walk(seed, STEPS, { budget })
    expect(taken / walks, 'steps of a walk, on average').toBeGreaterThan(6)
  })
})
