import { describe, expect, it } from 'vitest'
import { statePaths } from '../../machines/index.ts'
import { entered } from '../../src/devtools/recording/active-states.ts'
import { createHarness, tokens } from '../core/auth-setup.ts'

describe('statePaths', () => {
  it.each([
    ['anonymous', ['anonymous']],
    [{ authenticated: 'refreshable' }, ['authenticated', 'authenticated.refreshable']],
    [
      { refreshing: { attempt: 'offline', gate: 'open' } },
      [
        'refreshing',
        'refreshing.attempt',
        'refreshing.attempt.offline',
        'refreshing.gate',
        'refreshing.gate.open',
      ],
    ],
    [undefined, []],
    [null, []],
    [7, []],
    [{}, []],
  ])('returns for %j the paths %j', (value, paths) => {
    expect(statePaths(value)).toEqual(paths)
  })
})

describe('entered', () => {
  const reached = (...path: string[]) => [...path.reduce<readonly string[]>(entered, [])].sort()

  it('returns the entered state and its ancestors', () => {
    expect(reached('restoring')).toEqual(['restoring'])
    expect(reached('anonymous', 'authenticating')).toEqual(['authenticating'])
    expect(reached('authenticated', 'authenticated.lastToken')).toEqual([
      'authenticated',
      'authenticated.lastToken',
    ])
  })

  it('keeps the states of the other regions', () => {
    const begun = ['refreshing', 'refreshing.attempt.requesting', 'refreshing.gate.closed']
    expect(reached(...begun, 'refreshing.attempt.backingOff')).toEqual([
      'refreshing',
      'refreshing.attempt',
      'refreshing.attempt.backingOff',
      'refreshing.gate',
      'refreshing.gate.closed',
    ])
  })

  it('removes the states that were exited', () => {
    const begun = ['refreshing', 'refreshing.attempt.requesting', 'refreshing.gate.closed']
    expect(reached(...begun, 'authenticated')).toEqual(['authenticated'])
    expect(reached(...begun, 'refreshing')).toEqual(['refreshing'])
    expect(reached('authenticated', 'authenticated.refreshable', 'authenticated')).toEqual(['authenticated'])
  })

  it('derives the active states of the chart from the history of a session', async () => {
    const { auth, clock, refresh } = createHarness()
    void auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)

    const targets = auth.history.flatMap((event) => (event.type === 'transition' ? [event.to] : []))

    expect(targets.length).toBeGreaterThan(6)
    expect(reached(...targets)).toEqual(statePaths(auth.actor.getSnapshot().value).sort())
  })
})
