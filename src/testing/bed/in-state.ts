import { authTestModel } from '../model/auth-test-model.ts'
import { assertState, isInState } from '../model/chart-parts.ts'
import type { ModelEventName } from '../model/model-events.ts'
import { createTestBed, type TestBed, type TestBedOptions } from './test-bed.ts'
import { testBedDrivers } from './test-bed-drivers.ts'

/** What leads to a state in the fewest steps, by the end of its path. */
const ROADS: Readonly<Record<string, readonly ModelEventName[]>> = {
  authenticating: ['endpointHolds', 'signIn'],
  authenticated: ['signIn'],
  renewable: ['signIn'],
  terminal: ['signIn', 'refreshTokenDies', 'renewalDue'],
  closed: ['signIn', 'accessTokenDies', 'endpointHolds', 'request'],
  backingOff: ['signIn', 'endpointFails', 'renewalDue'],
  suspended: ['signIn', 'endpointFails', 'renewalDue', 'retryDue'],
  offline: ['signIn', 'networkDown', 'renewalDue'],
  expired: ['signIn', 'accessTokenDies', 'refreshTokenDies', 'request'],
  signingOut: ['signIn', 'endpointHolds', 'signOut'],
  loggedOut: ['signIn', 'signOut'],
}
const TO_REFRESHING: readonly ModelEventName[] = ['signIn', 'endpointHolds', 'renewalDue']

const ROAD_OPTIONS = { retry: { attempts: 2 } } as const

/**
 * Brings a session into a state of the chart, on virtual time and with everything around it under the test's control.
 *
 * What is not at rest there stays so: in `refreshing.exchange.requesting` the token endpoint keeps the exchange waiting
 * until `bed.endpoint.set('answers', bed.settle)`, in `refreshing.exchange.backingOff` it fails. What happened on the way
 * is not in the bed's next `look()`.
 *
 * @param state the path of a state, such as `'refreshing.gate.closed'`
 * @param options how the session is set up; `retry.attempts` is 2 where nothing is said
 * @returns the bed; close it after the test
 * @throws TypeError where the chart has no such state
 * @throws Error where the options leave no way there
 *
 * @example
 * ```ts
 * const bed = await inState('refreshing.gate.closed')
 * bed.send('/api/me')
 * await bed.settle()
 * expect(bed.look().held).toBe(1)
 * await bed.close()
 * ```
 */
export async function inState(state: string, options: TestBedOptions = {}): Promise<TestBed> {
  assertState('inState', state)
  const settings = { ...ROAD_OPTIONS, ...options }
  const bed = await createTestBed({ ...startFor(state), ...settings })
  const isThere = () => isInState(bed.auth.actor.getSnapshot().value, state)
  try {
    if (state === 'refreshing.exchange.uncertain') {
      await follow(bed, 'refreshing.exchange.requesting', settings)
      // The store is read in that state, and as long as it does not answer the chart stays there.
      bed.store.hold()
      await bed.endpoint.set('loses', bed.settle)
    } else if (!isThere()) await follow(bed, state, settings)
    if (!isThere()) throw noWay(state)
  } catch (error) {
    await bed.close()
    throw error
  }
  bed.look()
  return bed
}

const noWay = (state: string) => new Error(`inState: with these options nothing leads to ${state}.`)

/** Some states are there at the start, or not at all. */
function startFor(state: string): TestBedOptions {
  switch (state) {
    case 'restoring':
    case 'restoring.reading':
      return { holdsStore: true }
    case 'restoring.signingInSilently':
      return { start: 'cookie', endpoint: 'holds' }
    case 'restoring.backingOff':
      return { start: 'cookie', endpoint: 'fails' }
    default:
      return {}
  }
}

async function follow(bed: TestBed, state: string, settings: TestBedOptions) {
  const road = ROADS[state.slice(state.lastIndexOf('.') + 1)] ?? TO_REFRESHING
  const events = Object.fromEntries(road.map((name) => [name, testBedDrivers[name]]))
  const path = authTestModel<TestBed>({ ...settings, events }).pathTo(state)
  if (!path) throw noWay(state)
  await path.test(bed)
}
