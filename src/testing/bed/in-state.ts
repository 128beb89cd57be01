import type { UserFacts } from '../../core/ports.ts'
import { authTestModel } from '../model/auth-test-model.ts'
import { assertState, isInState } from '../model/chart-parts.ts'
import type { ModelEventName } from '../model/model-events.ts'
import type { ModelSettings } from '../model/model-options.ts'
import type { AnyClaims, TestBedCredentials } from './bed-users.ts'
import { createTestBed, type TestBed, type TestBedOptions } from './test-bed.ts'
import { testBedDrivers } from './test-bed-drivers.ts'

type AnyBed = TestBed<never, unknown, unknown>

/** The shortest steps to a state, by the last part of its path. */
const STEPS: Readonly<Record<string, readonly ModelEventName[]>> = {
  authenticating: ['endpointHolds', 'signIn'],
  authenticated: ['signIn'],
  refreshable: ['signIn'],
  lastToken: ['signIn', 'refreshTokenDies', 'renewalDue'],
  closed: ['signIn', 'accessTokenDies', 'endpointHolds', 'request'],
  backingOff: ['signIn', 'endpointFails', 'renewalDue'],
  coolingDown: ['signIn', 'endpointFails', 'renewalDue', 'retryDue'],
  offline: ['signIn', 'networkDown', 'renewalDue'],
  expired: ['signIn', 'accessTokenDies', 'refreshTokenDies', 'request'],
  signingOut: ['signIn', 'endpointHolds', 'signOut'],
  loggedOut: ['signIn', 'signOut'],
}
const STEPS_TO_REFRESHING: readonly ModelEventName[] = ['signIn', 'endpointHolds', 'renewalDue']

const DEFAULTS = { retry: { attempts: 2 } } as const

/**
 * Brings a session into a state of the chart. The session runs on virtual time, and the test controls everything around it.
 *
 * Pending work stays pending: in `refreshing.attempt.requesting` the token endpoint holds the refresh until
 * `bed.endpoint.set('answers', bed.settle)`, and in `refreshing.attempt.backingOff` it fails. The bed's next `look()` does
 * not report what happened on the way.
 *
 * @param state the path of a state, such as `'refreshing.gate.closed'`
 * @param options the options of the session; the default of `retry.attempts` is 2
 * @returns the bed; close it after the test
 * @throws TypeError if the chart has no such state
 * @throws Error if no steps lead to the state with these options
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
export async function inState<
  Credentials = TestBedCredentials,
  Claims = AnyClaims,
  User extends object = UserFacts,
>(
  state: string,
  options: TestBedOptions<Credentials, Claims, User> = {},
): Promise<TestBed<Credentials, Claims, User>> {
  assertState('inState', state)
  const settings = { ...DEFAULTS, ...options }
  const bed = await createTestBed({ ...startFor(state), ...settings })
  const isThere = () => isInState(bed.auth.actor.getSnapshot().value, state)
  try {
    if (state === 'refreshing.attempt.ambiguous') {
      await follow(bed, 'refreshing.attempt.requesting', settings)
      // The chart stays in that state until the store answers.
      bed.store.hold()
      await bed.endpoint.set('loses', bed.settle)
    } else if (!isThere()) await follow(bed, state, settings)
    if (!isThere()) throw unreachable(state)
  } catch (error) {
    await bed.close()
    throw error
  }
  bed.look()
  return bed
}

const unreachable = (state: string) =>
  new Error(`inState: no steps lead to ${state} with these options. Change the options.`)

/** The options for states that a session can only be in at its start. */
function startFor(state: string): Pick<TestBedOptions, 'holdsStore' | 'start' | 'endpoint'> {
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

async function follow(bed: AnyBed, state: string, settings: ModelSettings) {
  const steps = STEPS[state.slice(state.lastIndexOf('.') + 1)] ?? STEPS_TO_REFRESHING
  const events = Object.fromEntries(steps.map((name) => [name, testBedDrivers[name]]))
  const path = authTestModel<AnyBed>({ ...settings, events }).pathTo(state)
  if (!path) throw unreachable(state)
  await path.test(bed)
}
