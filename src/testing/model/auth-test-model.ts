import { assertState, isInState } from './chart-parts.ts'
import { type AuthCoverage, type CoverageRecorder, createCoverage } from './coverage.ts'
import { type ModelEventName, modelEvents } from './model-events.ts'
import { type ModelSettings, resolveModelSettings } from './model-options.ts'
import { type ModelState, type Outcome, placeOf } from './model-state.ts'
import { createModelWorld } from './model-world.ts'
import { graphOf, type Steps, shortestPaths, simplePaths } from './paths.ts'
import { explore, worldLogic } from './walk.ts'

/** What must be true of the app after a step. */
export interface Expected {
  /** The chart's state value, as `auth.actor.getSnapshot().value` gives it. */
  readonly value: unknown
  /** The same in one word: `authenticated.renewable`; for `refreshing` its exchange and its gate. */
  readonly place: string
  /** Whether the chart is in the state of that path. */
  matches(path: string): boolean
  /** Who is signed in; `undefined`: nobody. `'grace'` is the other user. */
  readonly subject: 'ada' | 'grace' | undefined
  readonly epoch: number
  readonly generation: number
  /** Requests that wait. */
  readonly held: number
  /** How requests and refreshes came out in this step, in their order: `request: answered`, `refresh: session_expired`. */
  readonly outcomes: readonly Outcome[]
  /** Names of the events emitted in this step, transitions left out. */
  readonly emitted: readonly string[]
}

/** A step, for the driver that has to make it happen. */
export interface DrivenStep {
  readonly event: ModelEventName
  /** How long the step takes, in milliseconds, for drivers of time. */
  readonly elapsed: number
  /** How far the clock moves without its timers, in milliseconds: forwards in a sleep, backwards where it is set back. */
  readonly jumped: number
  /** What has to be true afterwards. */
  readonly expected: Expected
}

export interface AuthTestModelOptions<App> extends ModelSettings {
  /**
   * How to make things happen in the app under test, by the model's names for them. What has no driver does not happen:
   * the paths are made of the events that are named here.
   */
  readonly events: { readonly [Name in ModelEventName]?: (app: App, step: DrivenStep) => unknown }
  /**
   * Whether that can happen in the app as things stand: a sign-in, say, only where the app shows its form. Default: whatever
   * the chart takes can happen anywhere, a sign-in also while somebody is signed in.
   *
   * @param event what would happen
   * @param now what is true of the app before it
   */
  readonly offers?: (event: ModelEventName, now: Expected) => boolean
  /**
   * What to look at in a state, by the path of the state (`expired`, `refreshing.gate.closed`). After each step those of
   * all states the chart is in run; the one named `'*'` runs where there is no other.
   */
  readonly states?: { readonly [path: string]: (app: App, expected: Expected) => unknown }
  /** A report to share with other models. Default: one of its own. */
  readonly coverage?: CoverageRecorder
}

/** One way through the model, to be tested on the app. */
export interface TestPath<App> {
  /** What happens and where it leads, as a title for a test. */
  readonly description: string
  readonly events: readonly ModelEventName[]
  /** What has to be true at its end. */
  readonly expected: Expected
  /**
   * Drives the app along the path, and looks at it at the start and after each step.
   *
   * @param app a fresh app, in the model's `start`
   * @throws what a driver or an assertion throws, with the path up to there in its message
   */
  test(app: App): Promise<void>
}

/** The auth chart as a suite of tests for an app. */
export interface AuthTestModel<App> {
  /** Paths that between them take every kind of step the events allow: each from where the chart is to where it goes. */
  shortestPaths(): TestPath<App>[]
  /**
   * Every path that comes to no situation twice.
   *
   * @param options `length`: the most steps a path has; their number grows with it by the number of events. Default: 3
   */
  simplePaths(options?: { readonly length?: number }): TestPath<App>[]
  /**
   * The shortest path to a state, or nothing where the events do not lead there.
   *
   * @param state the path of a state, such as `refreshing.gate.closed`
   */
  pathTo(state: string): TestPath<App> | undefined
  /** How many situations the events can lead to. */
  readonly size: number
  readonly coverage: AuthCoverage
}

/**
 * Makes a test suite of the auth chart: walks the chart itself, with its invocations and its timers, through everything
 * the named events can bring about, and gives the ways as paths to run against an app.
 *
 * @param options drivers for what happens, assertions for where it leads, and how the app's `createAuth` is set up
 * @returns the model; each of its paths is a test
 * @throws TypeError where an event or a state is none of the model's or the chart's
 *
 * @example
 * ```ts
 * const model = authTestModel<Page>({
 *   events: {
 *     signIn: (page) => page.getByRole('button', { name: 'Sign in' }).click(),
 *     signOut: (page) => page.getByRole('button', { name: 'Sign out' }).click(),
 *   },
 *   states: {
 *     anonymous: (page) => expect(page.getByRole('form')).toBeVisible(),
 *     authenticated: (page) => expect(page.getByText('Hello')).toBeVisible(),
 *   },
 * })
 * for (const path of model.shortestPaths()) test(path.description, ({ page }) => path.test(page))
 * ```
 */
export function authTestModel<App>(options: AuthTestModelOptions<App>): AuthTestModel<App> {
  const { events, offers = () => true, states = {}, coverage = createCoverage(), ...settings } = options
  const names = namesOf(events)
  for (const state of Object.keys(states)) if (state !== '*') assertState('authTestModel', state)

  const world = createModelWorld(resolveModelSettings(settings))
  const isOffered = (event: ModelEventName, now: ModelState) => offers(event, expectedOf(now))
  const graph = graphOf(world.start(), explore(worldLogic(world), names, isOffered))

  async function look(app: App, state: ModelState) {
    const expected = expectedOf(state)
    const named = Object.entries(states).filter(([path]) => path !== '*' && expected.matches(path))
    const assertions = named.length > 0 ? named : Object.entries(states).filter(([path]) => path === '*')
    for (const [, assertion] of assertions) await assertion(app, expected)
    coverage.add({ states: state.visited, transitions: state.taken })
  }

  async function test(app: App, steps: Steps) {
    const done: string[] = ['the start']
    try {
      await look(app, graph.start)
      for (const { event, from, to } of steps) {
        done.push(`${modelEvents[event].description} → ${placeOf(to.chart.value)}`)
        const elapsed = to.uptime - from.uptime
        const jumped = to.wall - from.wall - elapsed
        await events[event]?.(app, { event, elapsed, jumped, expected: expectedOf(to) })
        await look(app, to)
      }
    } catch (error) {
      throw withPath(error, done, steps)
    }
    coverage.addPath(steps.length)
  }

  const pathOf = (steps: Steps): TestPath<App> => {
    const last = steps.at(-1)?.to ?? graph.start
    return {
      description: describe(steps, graph.start),
      events: steps.map(({ event }) => event),
      expected: expectedOf(last),
      test: (app) => test(app, steps),
    }
  }

  return {
    shortestPaths: () => shortestPaths(graph).map(pathOf),
    simplePaths: ({ length = 3 } = {}) => simplePaths(graph, length).map(pathOf),
    pathTo(state) {
      assertState('authTestModel', state)
      const found = graph.shortest.find(([{ chart }]) => isInState(chart.value, state))
      return found && pathOf(found[1])
    },
    size: graph.shortest.length,
    coverage,
  }
}

function namesOf(events: object): ModelEventName[] {
  const names = Object.entries(events).filter(([, driver]) => driver !== undefined)
  if (names.length === 0) throw new TypeError('authTestModel: events must name one event at least.')
  return names.map(([name, driver]) => {
    if (!(name in modelEvents)) {
      const known = Object.keys(modelEvents).join(', ')
      throw new TypeError(`authTestModel: there is no event ${name}. Those of the model are ${known}.`)
    }
    if (typeof driver !== 'function')
      throw new TypeError(`authTestModel: events.${name} must be a function, not ${typeof driver}.`)
    return name as ModelEventName
  })
}

export function expectedOf(state: ModelState): Expected {
  const { value } = state.chart
  return {
    value,
    place: placeOf(value),
    matches: (path) => isInState(value, path),
    subject: state.tokens?.subject,
    epoch: state.epoch,
    generation: state.generation,
    held: state.held.length,
    outcomes: state.outcomes,
    emitted: state.emitted.map(({ type }) => type).filter((type) => type !== 'transition'),
  }
}

function describe(steps: Steps, start: ModelState): string {
  const last = steps.at(-1)?.to ?? start
  const happens = steps.map(({ event }) => modelEvents[event].description).join(', ')
  return `${happens || 'at the start'} → ${placeOf(last.chart.value)}`
}

function withPath(error: unknown, done: readonly string[], steps: Steps): unknown {
  const rest = steps.slice(done.length - 1).map(({ event }) => modelEvents[event].description)
  const lines = [
    ...done.map((step, index) => `${index === done.length - 1 ? '✗' : '✓'} ${step}`),
    ...rest.map((step) => `  ${step}`),
  ]
  const path = `\n\nThe path:\n${lines.map((line) => `  ${line}`).join('\n')}`
  try {
    if (!(error instanceof Error)) throw error
    const { message, stack } = error
    error.message += path
    // Some runners show the stack, which was written when the error was made.
    if (stack) error.stack = stack.replace(message, () => error.message)
    return error
  } catch {
    // No error, or one whose message cannot be changed.
    return new Error(`${error instanceof Error ? error.message : String(error)}${path}`, { cause: error })
  }
}
