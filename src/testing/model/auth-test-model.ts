import { assertState, isInState, placeOf, transitionName } from './chart-parts.ts'
import { type AuthCoverage, type CoverageRecorder, createCoverage } from './coverage.ts'
import { exploreWorld, type Steps, shortestPaths, simplePaths } from './graph.ts'
import { type ModelEventName, modelEvents } from './model-events.ts'
import { type ModelSettings, resolveModelSettings } from './model-options.ts'
import { countHeld, type ModelState, type Outcome } from './model-state.ts'
import { createModelWorld } from './model-world.ts'

/** What must be true of the app after a step. */
export interface Expected {
  /** The chart's state value, as in `auth.actor.getSnapshot().value`. */
  readonly value: unknown
  /** The same as one path: `authenticated.refreshable`. In `refreshing`: its attempt and its gate. */
  readonly place: string
  /** Whether the chart is in the state of a path. */
  matches(path: string): boolean
  /** The user who is signed in, if there is one. `'grace'` is the other user. */
  readonly subject: 'ada' | 'grace' | undefined
  /** The number of the session: each sign-in and each sign-out raises it. */
  readonly epoch: number
  /** The number of the token set: each new token set raises it. */
  readonly generation: number
  /** How many requests wait. */
  readonly held: number
  /** Results of requests and refreshes in this step, in order: `request: answered`, `refresh: session_expired`. */
  readonly outcomes: readonly Outcome[]
  /** Names of the events that were emitted in this step, without `transition`. */
  readonly emitted: readonly string[]
}

/** A step, for the driver that has to make it happen. */
export interface DrivenStep {
  /** What the driver has to make happen. */
  readonly event: ModelEventName
  /** How much time passes in the step, in milliseconds. */
  readonly elapsed: number
  /** How far the clock moves without its timers, in milliseconds. It is negative if the clock is set back. */
  readonly jumped: number
  /** What must be true after the step. */
  readonly expected: Expected
}

export interface AuthTestModelOptions<App> extends ModelSettings {
  /** How to make each event of the model happen in the app. Paths contain only the events that are named here. */
  readonly events: { readonly [Name in ModelEventName]?: (app: App, step: DrivenStep) => unknown }
  /**
   * Whether an event can happen in the app now: a sign-in, for example, only if the app shows its form. Default: all events
   * can happen everywhere, a sign-in also while a user is signed in.
   *
   * @param event what would happen
   * @param now what is true of the app before it
   */
  readonly offers?: (event: ModelEventName, now: Expected) => boolean
  /**
   * Assertions by the path of a state (`expired`, `refreshing.gate.closed`). After each step, those of all states that the
   * chart is in run. The one named `'*'` runs if no other matches.
   */
  readonly states?: {
    /** By the path of a state, or `'*'`. */
    readonly [path: string]: (app: App, expected: Expected) => unknown
  }
  /** A report to share with other models. Default: a new one. */
  readonly coverage?: CoverageRecorder
}

/** One path through the model, to be tested on the app. */
export interface TestPath<App> {
  /** The events and where they lead, as the title of a test. */
  readonly description: string
  /** The events of the path, in order. */
  readonly events: readonly ModelEventName[]
  /** The transitions that it takes, by their names in `coverage.transitions`. */
  readonly transitions: readonly string[]
  /** What must be true at its end. */
  readonly expected: Expected
  /**
   * Drives the app along the path, and runs the assertions at the start and after each step.
   *
   * @param app a fresh app, in the model's `start`
   * @throws what a driver or an assertion throws, with the path up to there in its message
   */
  test(app: App): Promise<void>
}

/** The auth chart as a suite of tests for an app. */
export interface AuthTestModel<App> {
  /** Paths that together take every kind of step: each event, from each state to each state that it leads to. */
  shortestPaths(): TestPath<App>[]
  /**
   * Every path that reaches no situation twice.
   *
   * @param options `length`: the most steps of a path; their number grows fast with it. Default: 3
   */
  simplePaths(options?: { readonly length?: number }): TestPath<App>[]
  /**
   * The shortest path to a state, if the events lead there.
   *
   * @param state the path of a state, such as `refreshing.gate.closed`
   */
  pathTo(state: string): TestPath<App> | undefined
  /** How many situations the events can lead to. */
  readonly size: number
  /** What the paths have covered that passed so far: the recorder of the options, or a new one. */
  readonly coverage: AuthCoverage
}

/**
 * Makes a test suite of the auth chart. It walks the chart itself, with its invocations and timers, through everything that
 * the named events can cause, and returns the paths to run against an app.
 *
 * @param options drivers for events, assertions for states, and how the app's `createAuth` is set up
 * @returns the model; each of its paths is a test
 * @throws TypeError if the model has no such event, or the chart no such state
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
  const { '*': fallback, ...assertions } = states
  for (const state of Object.keys(assertions)) assertState('authTestModel', state)

  const world = createModelWorld(resolveModelSettings(settings))
  const graph = exploreWorld(world, names, (event, now) => offers(event, expectedOf(now)))

  async function look(app: App, state: ModelState) {
    const expected = expectedOf(state)
    const matching = Object.entries(assertions).filter(([path]) => expected.matches(path))
    for (const [, assertion] of matching) await assertion(app, expected)
    if (matching.length === 0) await fallback?.(app, expected)
    coverage.add({ states: state.visited, transitions: state.taken })
  }

  async function test(app: App, steps: Steps) {
    const done = ['the start']
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
      throw withPath(error, done, descriptionsOf(steps).slice(done.length - 1))
    }
    coverage.addPath(steps.length)
  }

  function pathOf(steps: Steps): TestPath<App> {
    const expected = expectedOf(steps.at(-1)?.to ?? graph.start)
    return {
      description: `${descriptionsOf(steps).join(', ') || 'at the start'} → ${expected.place}`,
      events: steps.map(({ event }) => event),
      transitions: steps.flatMap(({ to }) => to.taken.map(transitionName)),
      expected,
      test: (app) => test(app, steps),
    }
  }

  return {
    shortestPaths: () => shortestPaths(graph).map(pathOf),
    simplePaths: ({ length = 3 } = {}) => simplePaths(graph, length).map(pathOf),
    pathTo(state) {
      assertState('authTestModel', state)
      const found = graph.nodes.find((node) => isInState(node.state.chart.value, state))
      return found && pathOf(found.path)
    },
    size: graph.nodes.length,
    coverage,
  }
}

function namesOf(events: object): ModelEventName[] {
  const given = Object.entries(events).filter(([, driver]) => driver !== undefined)
  if (given.length === 0) throw new TypeError('authTestModel: events must name at least one event.')
  for (const [name, driver] of given) {
    if (!(name in modelEvents))
      throw new TypeError(
        `authTestModel: there is no event ${name}. The events are ${Object.keys(modelEvents).join(', ')}.`,
      )
    if (typeof driver !== 'function')
      throw new TypeError(`authTestModel: events.${name} must be a function, not ${typeof driver}.`)
  }
  return given.map(([name]) => name as ModelEventName)
}

const descriptionsOf = (steps: Steps) => steps.map(({ event }) => modelEvents[event].description)

function expectedOf(state: ModelState): Expected {
  const { chart, tokens, epoch, generation, outcomes, emitted } = state
  return {
    value: chart.value,
    place: placeOf(chart.value),
    matches: (path) => isInState(chart.value, path),
    subject: tokens?.subject,
    epoch,
    generation,
    held: countHeld(state),
    outcomes,
    emitted: emitted.map(({ type }) => type),
  }
}

/** Adds the path to the message of an error. */
function withPath(error: unknown, done: readonly string[], rest: readonly string[]): unknown {
  const marked = done.map((step, index) => `${index === done.length - 1 ? '✗' : '✓'} ${step}`)
  const path = ['\n\nThe path:', ...marked, ...rest.map((step) => `  ${step}`)].join('\n  ')
  try {
    const { message, stack } = error as Error
    if (!(error instanceof Error)) throw error
    error.message += path
    // Some runners show the stack, which was written when the error was made.
    if (stack) error.stack = stack.replace(message, () => error.message)
    return error
  } catch {
    // It is not an error, or its message cannot be changed.
    return new Error(`${error instanceof Error ? error.message : String(error)}${path}`, { cause: error })
  }
}
