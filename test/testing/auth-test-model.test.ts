import { describe, expect, it, vi } from 'vitest'
import { authMachine } from '../../machines/index.ts'
import { type AuthTestModelOptions, authTestModel, createCoverage } from '../../src/testing/index.ts'
import { chartTransitions, statesOf, transitionName } from '../../src/testing/model/chart-parts.ts'
import { modelEvents } from '../../src/testing/model/model-events.ts'

const nothing = () => {}
const basic = { signIn: nothing, signOut: nothing, request: nothing, accessTokenDies: nothing }

describe('authTestModel', () => {
  it('a model makes paths only of events that have a driver', () => {
    const paths = authTestModel({ events: basic }).shortestPaths()
    expect(new Set(paths.flatMap(({ events }) => events))).toEqual(new Set(Object.keys(basic)))
    expect(paths.map(({ description }) => description)).toContain('the user signs out → anonymous')
  })

  it('the shortest paths take every possible step, and no path is contained in another', () => {
    const model = authTestModel({ events: { signIn: nothing, signOut: nothing } })
    const steps = model.shortestPaths().map(({ events }) => events.join(' '))
    // signIn and signOut, each before a sign-in, after it, and after a sign-out.
    expect(steps.sort()).toEqual([
      'signIn signIn',
      'signIn signOut signIn',
      'signIn signOut signOut',
      'signOut',
    ])
    expect(model.size).toBe(3)
  })

  it('a model leaves out events that the app does not offer in the current state', () => {
    const model = authTestModel({
      events: { signIn: nothing, signOut: nothing },
      offers: (event, { subject }) => (event === 'signIn') === !subject,
    })
    expect(model.shortestPaths().map(({ events }) => events.join(' '))).toEqual(['signIn signOut signIn'])
    expect(model.simplePaths().map(({ events }) => events.join(' '))).toEqual(['signIn signOut'])
  })

  it('simplePaths returns all paths of a length that never visit a situation twice', () => {
    const model = authTestModel({ events: basic })
    const events = (length: number) => model.simplePaths({ length }).map((path) => path.events.join(' '))
    expect(events(3)).toEqual(['signIn signOut', 'signIn accessTokenDies signOut'])
    expect(
      authTestModel({ events: { ...basic, refreshTokenDies: nothing } }).simplePaths({ length: 5 }).length,
    ).toBe(7)
  })

  it('pathTo finds the path to a state and returns undefined without a path', () => {
    const model = authTestModel({ events: { ...basic, refreshTokenDies: nothing } })
    expect(model.pathTo('expired')?.events).toEqual([
      'signIn',
      'accessTokenDies',
      'refreshTokenDies',
      'request',
    ])
    expect(model.pathTo('expired')?.expected).toMatchObject({ place: 'expired', subject: undefined })
    expect(model.pathTo('expired')?.transitions.slice(-2)).toEqual([
      'refreshing.attempt.requesting error if isFatal',
      '(root) request.rejected',
    ])
    expect(model.pathTo('refreshing.attempt.offline')).toBeUndefined()
    expect(() => model.pathTo('signedIn')).toThrow(/no state signedIn/)
  })
})

describe('a path of authTestModel', () => {
  it('a path drives the app and checks it at the start and after each step', async () => {
    const log: string[] = []
    const write = (line: string) => () => void log.push(line)
    const model = authTestModel<object>({
      events: { signIn: write('signIn'), accessTokenDies: write('dies'), request: write('request') },
      states: {
        authenticated: write('authenticated'),
        'authenticated.refreshable': write('renewable'),
        '*': (_, { place }) => void log.push(`* ${place}`),
      },
    })
    const path = model
      .shortestPaths()
      .find(({ events }) => events.join(' ') === 'signIn accessTokenDies request')
    await path?.test({})
    const seen = ['authenticated', 'renewable']
    expect(log).toEqual(['* anonymous', 'signIn', ...seen, 'dies', ...seen, 'request', ...seen])
  })

  it('a driver receives the duration of its step and the expected result', async () => {
    const renewalDue = vi.fn()
    const sleepPastExpiry = vi.fn()
    const model = authTestModel({
      start: 'stored',
      lifetime: 100_000,
      refreshAhead: 10_000,
      endpoint: 'holds',
      events: { renewalDue, sleepPastExpiry, clockSetBack: nothing },
    })
    for (const path of model.shortestPaths()) await path.test(undefined)
    expect(renewalDue.mock.calls[0]?.[1]).toMatchObject({
      elapsed: 90_000,
      jumped: 0,
      expected: { place: 'refreshing.requesting.open', subject: 'ada', generation: 1 },
    })
    expect(sleepPastExpiry.mock.calls[0]?.[1]).toMatchObject({ elapsed: 0, jumped: 100_000 })
  })

  it('the error of a failed step shows the path', async () => {
    const model = authTestModel({
      events: {
        signIn: nothing,
        signOut: () => {
          throw new Error('The button is missing')
        },
      },
    })
    const path = model.shortestPaths().find(({ events }) => events.join(' ') === 'signIn signOut signIn')
    await expect(path?.test(undefined)).rejects.toThrow(
      [
        'The button is missing',
        '',
        'The path:',
        '  ✓ the start',
        '  ✓ the user signs in → authenticated.refreshable',
        '  ✗ the user signs out → loggedOut',
        '    the user signs in',
      ].join('\n'),
    )
    expect(model.coverage).toMatchObject({ paths: 0, steps: 0 })
  })

  it('the error of a failed step shows the path for a thrown string and for a frozen error', async () => {
    const fails = (thrown: unknown) =>
      authTestModel({
        events: {
          signIn: () => {
            throw thrown
          },
        },
      })
        .shortestPaths()[0]
        ?.test(undefined)
    await expect(fails('no')).rejects.toThrow('no\n\nThe path:')
    const frozen = Object.freeze(new Error('frozen'))
    await expect(fails(frozen)).rejects.toMatchObject({ message: /^frozen\n\nThe path:/, cause: frozen })
  })
})

describe('the options of authTestModel', () => {
  it.each<[string, object, RegExp]>([
    ['a missing event', {}, /must name at least one event/],
    ['an unknown event', { events: { login: nothing } }, /no event login\. .*signIn, /],
    ['a driver that is not a function', { events: { signIn: 'click' } }, /events\.signIn must be a function/],
    [
      'an unknown state',
      { events: { signIn: nothing }, states: { signedIn: nothing } },
      /no state signedIn\. It has restoring/,
    ],
    [
      'an unknown start',
      { events: { signIn: nothing }, start: 'signedIn' },
      /model's start must be one of signedOut, /,
    ],
    [
      'a time that is not a number',
      { events: { signIn: nothing }, lifetime: '1h' },
      /model's lifetime must be a number/,
    ],
  ])('authTestModel throws a TypeError for %s', (_, options, message) => {
    const events = 'events' in options ? {} : { events: {} }
    expect(() => authTestModel({ ...events, ...options } as AuthTestModelOptions<unknown>)).toThrow(message)
    expect(() => authTestModel({ ...events, ...options } as AuthTestModelOptions<unknown>)).toThrow(TypeError)
  })

  it('every event of the model has its own description', () => {
    const sentences = Object.values(modelEvents).map(({ description }) => description)
    expect(new Set(sentences).size).toBe(sentences.length)
  })
})

describe('the coverage of a model', () => {
  const walked = async () => {
    const coverage = createCoverage()
    for (const events of [{ signIn: nothing }, { signOut: nothing }])
      for (const path of authTestModel({ events, coverage }).shortestPaths()) await path.test(undefined)
    return coverage
  }

  it('coverage adds up the paths of several models', async () => {
    const { states, transitions, paths } = await walked()
    expect(paths).toBe(2)
    expect(states.covered).toEqual([
      'restoring',
      'restoring.reading',
      'anonymous',
      'authenticating',
      'authenticated',
      'authenticated.refreshable',
    ])
    expect(transitions.covered).toEqual([
      '(root) session.signIn',
      'restoring.reading done',
      'anonymous session.signOut',
      'authenticating done',
    ])
    expect(states.total).toBe(states.covered.length + states.missed.length)
    expect(transitions.total).toBe(chartTransitions.length)
  })

  it('the table of a coverage names the missed transitions', async () => {
    const lines = (await walked()).table().split('\n')
    expect(lines).toContain('anonymous                       yes      1/1')
    const loggedOut = lines.findIndex((line) => /^loggedOut +NO +0\/1$/.test(line))
    expect(lines[loggedOut + 1]).toMatch(/^ +missed: session\.signOut$/)
    expect(lines.at(-1)).toBe('states 6/22 (27 %), transitions 4/87 (5 %)')
  })

  it('the table of a coverage says first what users can see', async () => {
    const coverage = await walked()
    expect(coverage.situations.covered).toEqual([
      'the app starts',
      'no user is signed in',
      'a sign-in is running',
      'a user is signed in',
    ])
    expect(coverage.table().split('\n').slice(0, 13)).toEqual([
      'what users can see              tested   state',
      'the app starts                  yes',
      'no user is signed in            yes',
      'a sign-in is running            yes',
      'a user is signed in             yes',
      'requests wait for a refresh     NO       refreshing.gate.closed',
      'the server does not answer      NO       refreshing.attempt.backingOff',
      'there is no network             NO       refreshing.attempt.offline',
      'the session has ended           NO       expired',
      'a sign-out is running           NO       signingOut',
      'the user has signed out         NO       loggedOut',
      '2 paths, 3 steps: 4/10 (40 %) of what users can see',
      '',
    ])
  })
})

describe('the names of transitions', () => {
  it('every transition of the chart has its own name', () => {
    const names = chartTransitions.map(transitionName)
    expect(new Set(names).size).toBe(names.length)
    expect(statesOf(authMachine.root).length).toBe(23)
  })
})
