import { describe, expect, it } from 'vitest'
import type { ChartLayout } from '../../src/devtools/chart/chart-layout.ts'
import { mapLayout, overviewLayout } from '../../src/devtools/chart/layouts.ts'
import { firedEdges } from '../../src/devtools/panel/fired-edges.ts'
import { type Recorder, record, type WatchableAuth } from '../../src/devtools/recording/recorder.ts'
import { readRecording, writeRecording } from '../../src/devtools/recording/recording.ts'
import { createTestBed, type VirtualClock } from '../../src/testing/index.ts'
import { type Call, createHarness, type Harness, LIFETIME, refused, tokens } from '../core/auth-setup.ts'

const recorded = ({ auth, clock }: { readonly auth: WatchableAuth; readonly clock: VirtualClock }) =>
  record(auth, { name: 'auth', now: () => clock.now(), onChange() {} })

/** The fired arrows of each step, in order. Steps without arrows are left out. */
const arrowsIn = ({ moments }: Pick<Recorder, 'moments'>, layout: ChartLayout) =>
  moments.flatMap(({ source }, index) => {
    const fired = source === 'chart' ? firedEdges(layout, moments, index) : []
    return fired.length > 0 ? [fired] : []
  })

const answer = async ({ clock }: Harness, call: Call<unknown>, n: number) => {
  call.resolve(tokens(n))
  await clock.advance(0)
}

/** What happens in a session, and the arrows of each step on the map and in the overview. */
const RUNS: readonly [
  name: string,
  options: Parameters<typeof createHarness>[0],
  run: (harness: Harness) => Promise<unknown>,
  onMap: readonly string[][],
  inOverview: readonly string[][],
][] = [
  [
    'a sign-in',
    { signedOut: true },
    async (harness) => {
      void harness.auth.signIn('ada')
      await harness.clock.advance(0)
      await answer(harness, harness.signIn.call(), 1)
    },
    [['* -> authenticating'], ['authenticating -> authenticated']],
    [['* -> authenticating'], ['authenticating -> authenticated']],
  ],
  [
    'a sign-in that fails',
    { signedOut: true },
    async ({ auth, clock, signIn }) => {
      auth.signIn('ada').catch(() => {})
      await clock.advance(0)
      signIn.call().reject(new Error('wrong password'))
      await clock.advance(0)
    },
    [['* -> authenticating'], ['authenticating -> anonymous']],
    // The overview leaves out failed sign-ins.
    [['* -> authenticating']],
  ],
  [
    'a requested refresh',
    {},
    async (harness) => {
      void harness.auth.refresh()
      await harness.clock.advance(0)
      await answer(harness, harness.refresh.call(), 2)
    },
    [['authenticated.refreshable -> refreshing'], ['refreshing.attempt.requesting -> authenticated']],
    [['authenticated -> refreshing'], ['refreshing -> authenticated']],
  ],
  [
    'a scheduled refresh with a failed attempt',
    { retry: { attempts: 2, minDelay: 1000, jitter: 0 } },
    async (harness) => {
      await harness.clock.advance(LIFETIME - 60_000)
      harness.refresh.call().reject({ status: 503 })
      await harness.clock.advance(1000)
      await answer(harness, harness.refresh.call(), 2)
    },
    [
      ['authenticated.refreshable -> refreshing'],
      ['refreshing.attempt.requesting -> refreshing.attempt.backingOff'],
      ['refreshing.attempt.backingOff -> refreshing.attempt.requesting'],
      ['refreshing.attempt.requesting -> authenticated'],
    ],
    [['authenticated -> refreshing'], ['refreshing -> authenticated']],
  ],
  [
    'a token that expires during its refresh',
    { timeouts: { refresh: Number.POSITIVE_INFINITY } },
    async (harness) => {
      await harness.clock.advance(LIFETIME)
      await answer(harness, harness.refresh.call(), 2)
    },
    [
      ['authenticated.refreshable -> refreshing'],
      ['refreshing.gate.open -> refreshing.gate.closed'],
      ['refreshing.attempt.requesting -> authenticated'],
    ],
    [['authenticated -> refreshing'], ['refreshing -> authenticated']],
  ],
  [
    'a refresh token that is rejected',
    {},
    async ({ auth, clock, refresh }) => {
      auth.refresh().catch(() => {})
      await clock.advance(0)
      refresh.call().reject(refused())
      await clock.advance(LIFETIME)
    },
    [
      ['authenticated.refreshable -> refreshing'],
      ['refreshing.attempt.requesting -> authenticated.lastToken'],
      ['authenticated.lastToken -> expired'],
    ],
    [['authenticated -> refreshing'], ['refreshing -> authenticated'], ['authenticated -> expired']],
  ],
  [
    'a session that reaches its idle limit',
    { limits: { idle: 60_000 } },
    async ({ clock }) => clock.advance(60_000),
    [['* -> expired']],
    [['* -> expired']],
  ],
  [
    'a device that sleeps until the token has expired',
    {},
    async (harness) => {
      await harness.clock.sleep(LIFETIME)
      harness.outside.signal('wake')
      await harness.clock.advance(0)
      await answer(harness, harness.refresh.call(), 2)
    },
    [
      ['authenticated.refreshable -> refreshing.gate.closed'],
      ['refreshing.attempt.requesting -> authenticated'],
    ],
    [['authenticated -> refreshing'], ['refreshing -> authenticated']],
  ],
  [
    'a sign-out',
    {},
    async ({ auth, clock }) => {
      void auth.signOut()
      await clock.advance(0)
    },
    [['* -> signingOut'], ['signingOut -> loggedOut']],
    [['* -> signingOut'], ['signingOut -> loggedOut']],
  ],
  [
    'tokens that the app sets',
    { signedOut: true },
    async ({ auth, clock }) => {
      void auth.setTokens(tokens(1))
      await clock.advance(0)
    },
    [['* -> authenticated']],
    [['* -> authenticated']],
  ],
]

describe('firedEdges', () => {
  it.each(RUNS)(
    'returns the arrows that the chart took for %s',
    async (_, options, run, onMap, inOverview) => {
      const made = createHarness(options)
      await made.clock.advance(0)
      const recorder = recorded(made)

      await run(made)

      expect(arrowsIn(recorder, mapLayout)).toEqual(onMap)
      expect(arrowsIn(recorder, overviewLayout)).toEqual(inOverview)
      recorder.stop()
    },
  )

  it.each(RUNS)('returns the same arrows from a file for %s', async (_, options, run, onMap) => {
    const made = createHarness(options)
    await made.clock.advance(0)
    const recorder = recorded(made)
    await run(made)
    recorder.stop()

    expect(arrowsIn(readRecording(writeRecording(recorder), 'file'), mapLayout)).toEqual(onMap)
  })

  it('returns the arrows of one refresh for several requests that get a 401', async () => {
    const bed = await createTestBed({ start: 'stored' })
    const recorder = recorded(bed)
    bed.server.expireAccessTokens()
    for (let n = 0; n < 5; n++) bed.send('/api/item')
    await bed.settle()

    expect(bed.look().outcomes).toEqual(Array(5).fill('request: answered'))
    expect(arrowsIn(recorder, mapLayout)).toEqual([
      ['authenticated.refreshable -> refreshing.gate.closed'],
      ['refreshing.attempt.requesting -> authenticated'],
    ])
    recorder.stop()
    await bed.close()
  })

  it('returns the same arrows for all moments of a step', async () => {
    const made = createHarness()
    await made.clock.advance(0)
    const recorder = recorded(made)
    const from = recorder.moments.length
    void made.auth.refresh()
    await made.clock.advance(0)

    const { moments } = recorder
    const step = moments.slice(from).filter(({ type }) => type !== 'clock.check')
    expect(step.map(({ type }) => type)).toEqual([
      'transition',
      'transition',
      'transition',
      'session.refresh',
    ])
    for (const moment of step)
      expect(firedEdges(mapLayout, moments, moments.indexOf(moment))).toEqual([
        'authenticated.refreshable -> refreshing',
      ])
    recorder.stop()
    await answer(made, made.refresh.call(), 2)
  })

  it('returns no arrows for a missing moment', () => {
    expect(firedEdges(mapLayout, [], -1)).toEqual([])
    expect(firedEdges(mapLayout, [], 0)).toEqual([])
  })

  it('derives the arrows of a history from the exited and entered states', async () => {
    const { auth, clock, signIn, refresh } = createHarness({ signedOut: true })
    void auth.signIn('ada')
    await clock.advance(0)
    signIn.call().resolve(tokens(1))
    await clock.advance(0)
    void auth.refresh()
    await clock.advance(0)
    refresh.call().resolve(tokens(2))
    await clock.advance(0)
    await auth.signOut()

    const { moments } = readRecording(JSON.stringify(auth.history), 'history')
    const lit = (to: string, from: string) => {
      const index = moments.findIndex(({ facts }) => facts.to === to && facts.from === from)
      return firedEdges(overviewLayout, moments, index)
    }

    expect(lit('authenticating', 'anonymous')).toEqual(['* -> authenticating'])
    expect(lit('authenticated', 'authenticating')).toEqual(['authenticating -> authenticated'])
    expect(lit('refreshing', 'authenticated')).toEqual(['authenticated -> refreshing'])
    expect(lit('authenticated', 'refreshing')).toEqual(['refreshing -> authenticated'])
    expect(lit('signingOut', 'authenticated')).toEqual(['* -> signingOut'])
    expect(lit('loggedOut', 'signingOut')).toEqual(['signingOut -> loggedOut'])
    expect(lit('restoring', '')).toEqual([])
    const onMap = moments.map((_, index) => firedEdges(mapLayout, moments, index))
    // The initial state of a region is entered with its parent, without an arrow of its own.
    const within = moments.findIndex(({ facts }) => facts.to === 'refreshing.attempt.requesting')
    expect(onMap.slice(within - 1, within + 2)).toEqual([['authenticated.refreshable -> refreshing'], [], []])
  })
})
