import { describe, expect, it } from 'vitest'
import { entered, pathsOf } from '../../src/devtools/recording/active-states.ts'
import { rig, tokens } from '../core/auth-setup.ts'

/** States that tell nobody when they are entered: what is within `restoring`, and the limits, which are always watched. */
const UNTOLD = /^(restoring\.|refreshing\.limits)/

const toldOf = (paths: readonly string[]) => paths.filter((path) => !UNTOLD.test(path)).sort()

describe('the paths of a state value', () => {
  it.each([
    ['anonymous', ['anonymous']],
    [{ authenticated: 'renewable' }, ['authenticated', 'authenticated.renewable']],
    [
      { refreshing: { exchange: 'offline', gate: 'open' } },
      [
        'refreshing',
        'refreshing.exchange',
        'refreshing.exchange.offline',
        'refreshing.gate',
        'refreshing.gate.open',
      ],
    ],
    [undefined, []],
    [null, []],
    [7, []],
    [{}, []],
  ])('of %j are %j', (value, paths) => {
    expect(pathsOf(value)).toEqual(paths)
  })
})

describe('the states after one was entered', () => {
  const reached = (...path: string[]) => [...path.reduce<readonly string[]>(entered, [])].sort()

  it('are that one and those around it', () => {
    expect(reached('restoring')).toEqual(['restoring'])
    expect(reached('anonymous', 'authenticating')).toEqual(['authenticating'])
    expect(reached('authenticated', 'authenticated.terminal')).toEqual([
      'authenticated',
      'authenticated.terminal',
    ])
  })

  it('keep what stands beside it', () => {
    const begun = ['refreshing', 'refreshing.exchange.requesting', 'refreshing.gate.closed']
    expect(toldOf(reached(...begun, 'refreshing.exchange.backingOff'))).toEqual([
      'refreshing',
      'refreshing.exchange',
      'refreshing.exchange.backingOff',
      'refreshing.gate',
      'refreshing.gate.closed',
    ])
  })

  it('keep nothing of what was left', () => {
    const begun = ['refreshing', 'refreshing.exchange.requesting', 'refreshing.gate.closed']
    expect(reached(...begun, 'authenticated')).toEqual(['authenticated'])
    expect(toldOf(reached(...begun, 'refreshing'))).toEqual(['refreshing'])
    expect(reached('authenticated', 'authenticated.renewable', 'authenticated')).toEqual(['authenticated'])
  })

  it('are those that the chart is in, as the history of a session tells them', async () => {
    const { auth, clock, refresh } = rig()
    void auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)

    const told = auth.history.flatMap((event) => (event.type === 'transition' ? [event.to] : []))

    expect(told.length).toBeGreaterThan(6)
    expect(reached(...told)).toEqual(pathsOf(auth.actor.getSnapshot().value).sort())
  })
})
