import { describe, expect, it } from 'vitest'
import { search } from './search.ts'
import type { Rules, Setting } from './world.ts'

const SETTINGS: readonly (readonly [title: string, setting: Setting])[] = [
  ['three processes that refresh', { processes: 3, budget: { refreshes: 3 } }],
  ['leases that end at any moment', { processes: 2, budget: { refreshes: 3, lapses: 3 } }],
  ['three processes, and a lease that ends', { processes: 3, budget: { refreshes: 3, lapses: 1 } }],
  ['a database that falls back', { processes: 2, budget: { refreshes: 3, fallbacks: 1 } }],
  [
    'a database that falls back, and leases that end',
    { processes: 2, budget: { refreshes: 2, lapses: 2, fallbacks: 1 } },
  ],
  ['a process that is killed', { processes: 2, budget: { refreshes: 2, crashes: 1, lapses: 2 } }],
  [
    'a process that is killed, at a server with a grace',
    { processes: 2, budget: { refreshes: 3, crashes: 1, lapses: 2 }, grace: true },
  ],
  [
    'a process that is stopped for longer than its answer is awaited, at a server with a grace',
    { processes: 2, budget: { refreshes: 3, lapses: 1, longStops: 1 }, grace: true },
  ],
]

describe('the protocol of a fleet', () => {
  it.each(SETTINGS)('loses no session: %s', { timeout: 120_000 }, (title, setting) => {
    const { finding, states } = search(setting)
    expect(finding).toBeUndefined()
    console.log(`fleet: ${states.toLocaleString('en')} states, no session lost: ${title}`)
  })

  const BROKEN: readonly (readonly [rule: keyof Rules, setting: Setting])[] = [
    ['fence', { processes: 2, budget: { refreshes: 2, lapses: 2 } }],
    ['sameMark', { processes: 2, budget: { refreshes: 2, lapses: 2 } }],
    ['mark', { processes: 2, budget: { refreshes: 2, lapses: 2 } }],
    ['compare', { processes: 2, budget: { refreshes: 5, lapses: 1, longStops: 1 }, grace: true }],
    ['reread', { processes: 2, budget: { refreshes: 2 } }],
    ['awake', { processes: 2, budget: { refreshes: 2, lapses: 2 } }],
    ['writeBack', { processes: 2, budget: { refreshes: 2, fallbacks: 1 } }],
    ['saysPresented', { processes: 2, budget: { refreshes: 2, lapses: 1, fallbacks: 1 } }],
  ]

  it.each(BROKEN)(
    'needs each of its rules: without %s a session is lost',
    { timeout: 120_000 },
    (rule, setting) => {
      const whole = search(setting)
      expect(whole.finding).toBeUndefined()
      const { finding } = search({ ...setting, rules: { [rule]: false } })
      expect(finding?.problem).toBeDefined()
      console.log(`fleet without ${rule}: ${finding?.problem}\n  ${finding?.trace.join('\n  ')}`)
    },
  )
})
