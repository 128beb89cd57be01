import { describe, expect, it } from 'vitest'
import type { ChartLayout } from '../../src/devtools/chart/chart-layout.ts'
import { mapLayout, overviewLayout } from '../../src/devtools/chart/layouts.ts'
import { firedEdges } from '../../src/devtools/panel/fired-edges.ts'
import { type Recorder, record, type WatchableAuth } from '../../src/devtools/recording/recorder.ts'
import { readRecording, writeRecording } from '../../src/devtools/recording/recording.ts'
import { createTestBed, type VirtualClock } from '../../src/testing/index.ts'
import { type Call, LIFETIME, type Rig, refused, rig, tokens } from '../core/auth-setup.ts'

const recorded = ({ auth, clock }: { readonly auth: WatchableAuth; readonly clock: VirtualClock }) =>
  record(auth, { name: 'auth', now: () => clock.now(), onChange() {} })

/** The arrows of each step that went along any, one step after another. */
const arrowsIn = ({ moments }: Pick<Recorder, 'moments'>, layout: ChartLayout) =>
  moments.flatMap(({ source }, index) => {
    const fired = source === 'chart' ? firedEdges(layout, moments, index) : []
    return fired.length > 0 ? [fired] : []
  })

const answer = async ({ clock }: Rig, call: Call<unknown>, n: number) => {
  call.resolve(tokens(n))
  await clock.advance(0)
}

/** What a user sees of a session, what happens in it, and the arrows of each step on the map and in the overview. */
const RUNS: readonly [
  name: string,
  options: Parameters<typeof rig>[0],
  run: (rig: Rig) => Promise<unknown>,
  onMap: readonly string[][],
  inOverview: readonly string[][],
][] = [
  [
    'a sign-in',
    { signedOut: true },
    async (rig) => {
      void rig.auth.signIn('ada')
      await rig.clock.advance(0)
      await answer(rig, rig.signIn.call(), 1)
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
    // That it may fail is not in the overview.
    [['* -> authenticating']],
  ],
  [
    'a renewal that is asked for',
    {},
    async (rig) => {
      void rig.auth.refresh()
      await rig.clock.advance(0)
      await answer(rig, rig.refresh.call(), 2)
    },
    [['authenticated.renewable -> refreshing'], ['refreshing.exchange.requesting -> authenticated']],
    [['authenticated -> refreshing'], ['refreshing -> authenticated']],
  ],
  [
    'a renewal by the clock, with a try that fails',
    { retry: { attempts: 2, minDelay: 1000, jitter: 0 } },
    async (rig) => {
      await rig.clock.advance(LIFETIME - 60_000)
      rig.refresh.call().reject({ status: 503 })
      await rig.clock.advance(1000)
      await answer(rig, rig.refresh.call(), 2)
    },
    [
      ['authenticated.renewable -> refreshing'],
      ['refreshing.exchange.requesting -> refreshing.exchange.backingOff'],
      ['refreshing.exchange.backingOff -> refreshing.exchange.requesting'],
      ['refreshing.exchange.requesting -> authenticated'],
    ],
    [['authenticated -> refreshing'], ['refreshing -> authenticated']],
  ],
  [
    'a token that dies while it is renewed',
    { timeouts: { refresh: Number.POSITIVE_INFINITY } },
    async (rig) => {
      await rig.clock.advance(LIFETIME)
      await answer(rig, rig.refresh.call(), 2)
    },
    [
      ['authenticated.renewable -> refreshing'],
      ['refreshing.gate.open -> refreshing.gate.closed'],
      ['refreshing.exchange.requesting -> authenticated'],
    ],
    [['authenticated -> refreshing'], ['refreshing -> authenticated']],
  ],
  [
    'a refresh token that is dead',
    {},
    async ({ auth, clock, refresh }) => {
      auth.refresh().catch(() => {})
      await clock.advance(0)
      refresh.call().reject(refused())
      await clock.advance(LIFETIME)
    },
    [
      ['authenticated.renewable -> refreshing'],
      ['refreshing.exchange.requesting -> authenticated.terminal'],
      ['authenticated.terminal -> expired'],
    ],
    [['authenticated -> refreshing'], ['refreshing -> authenticated'], ['authenticated -> expired']],
  ],
  [
    'a session that is not used',
    { limits: { idle: 60_000 } },
    async ({ clock }) => clock.advance(60_000),
    [['authenticated -> expired']],
    [['authenticated -> expired']],
  ],
  [
    'a machine that slept past the token',
    {},
    async (rig) => {
      await rig.clock.sleep(LIFETIME)
      rig.outside.signal('wake')
      await rig.clock.advance(0)
      await answer(rig, rig.refresh.call(), 2)
    },
    [
      ['authenticated.renewable -> refreshing.gate.closed'],
      ['refreshing.exchange.requesting -> authenticated'],
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
    'tokens from elsewhere',
    { signedOut: true },
    async ({ auth, clock }) => {
      void auth.setTokens(tokens(1))
      await clock.advance(0)
    },
    [['* -> authenticated']],
    [['* -> authenticated']],
  ],
]

describe('the arrows that light up', () => {
  it.each(RUNS)('in %s are those that the chart went along', async (_, options, run, onMap, inOverview) => {
    const made = rig(options)
    await made.clock.advance(0)
    const recorder = recorded(made)

    await run(made)

    expect(arrowsIn(recorder, mapLayout)).toEqual(onMap)
    expect(arrowsIn(recorder, overviewLayout)).toEqual(inOverview)
    recorder.stop()
  })

  it.each(RUNS)('in %s are the same in a file', async (_, options, run, onMap) => {
    const made = rig(options)
    await made.clock.advance(0)
    const recorder = recorded(made)
    await run(made)
    recorder.stop()

    expect(arrowsIn(readRecording(writeRecording(recorder), 'file'), mapLayout)).toEqual(onMap)
  })

  it('where requests are refused together are those of one renewal', async () => {
    const bed = await createTestBed({ start: 'stored' })
    const recorder = recorded(bed)
    bed.server.expireAccessTokens()
    for (let n = 0; n < 5; n++) bed.send('/api/item')
    await bed.settle()

    expect(bed.look().outcomes).toEqual(Array(5).fill('request: answered'))
    expect(arrowsIn(recorder, mapLayout)).toEqual([
      ['authenticated.renewable -> refreshing.gate.closed'],
      ['refreshing.exchange.requesting -> authenticated'],
    ])
    recorder.stop()
    await bed.close()
  })

  it('are the same for everything that is told in a step', async () => {
    const made = rig()
    await made.clock.advance(0)
    const recorder = recorded(made)
    const from = recorder.moments.length
    void made.auth.refresh()
    await made.clock.advance(0)

    const { moments } = recorder
    const renewal = moments.slice(from).filter(({ type }) => type !== 'session.check')
    expect(renewal.map(({ type }) => type)).toEqual([
      'transition',
      'transition',
      'transition',
      'session.refresh',
    ])
    for (const moment of renewal)
      expect(firedEdges(mapLayout, moments, moments.indexOf(moment))).toEqual([
        'authenticated.renewable -> refreshing',
      ])
    recorder.stop()
    await answer(made, made.refresh.call(), 2)
  })

  it('are none where nothing happened', () => {
    expect(firedEdges(mapLayout, [], -1)).toEqual([])
    expect(firedEdges(mapLayout, [], 0)).toEqual([])
  })

  it('of a history are known by the states that were left and entered', async () => {
    const { auth, clock, signIn, refresh } = rig({ signedOut: true })
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
    // What a region begins with comes with the state around it.
    const within = moments.findIndex(({ facts }) => facts.to === 'refreshing.exchange.requesting')
    expect(onMap.slice(within - 1, within + 2)).toEqual([['authenticated.renewable -> refreshing'], [], []])
  })
})
