import type { AuthTestModelOptions, DrivenStep } from '../model/auth-test-model.ts'
import type { ModelEventName } from '../model/model-events.ts'
import type { TestBed } from './test-bed.ts'

/** A bed of any app: drivers sign users in by `bed.signIn`. */
type AnyBed = TestBed<never, unknown, unknown>
type Driver = (bed: AnyBed, step: DrivenStep) => unknown

const signIn =
  (username: string, password: string): Driver =>
  (bed) =>
    bed.signIn(username, password)

const setEndpoint =
  (mode: TestBed['endpoint']['mode']): Driver =>
  ({ endpoint, settle }) =>
    endpoint.set(mode, settle)

const passTime: Driver = ({ pass }, { elapsed }) => pass(elapsed)
const sleep: Driver = ({ clock }, { jumped }) => clock.sleep(jumped)

/** Another tab refreshes the session in the store. */
const refreshInOtherTab: Driver = ({ store, server, recordOf }) => {
  const { record } = store
  if (!record?.refreshToken) throw new Error('The store has no session to refresh')
  const { id, rotation, startedAt } = record
  store.record = recordOf(server.renew(record.refreshToken), { id, startedAt, rotation: rotation + 1 })
}

const drivers: Readonly<Record<ModelEventName, Driver>> = {
  signIn: signIn('ada', 'correct'),
  signInRefused: signIn('ada', 'wrong'),
  signInAsOther: signIn('grace', 'correct'),
  signOut: ({ auth }) => void auth.signOut(),
  adoptTokens: ({ auth, tokensOf }) => auth.setTokens(tokensOf('ada')),
  adoptExpiredTokens: ({ auth, tokensOf }) => auth.setTokens({ ...tokensOf('ada'), expires_in: 0 }),

  request: ({ send }) => send('/api/item'),
  async slowRequest({ send, server, flying }) {
    const held = server.holdApiNext()
    send('/api/item')
    await held.arrived
    flying.push(held)
  },
  slowRequestAnswered: ({ flying }) => flying.shift()?.answer({ check: 'arrival' }),
  stepUpRequest: ({ send }) => send('/api/step-up', 'stepUp'),
  refresh: ({ auth, watch }) => watch(auth.refresh(), 'refresh'),

  accessTokenDies: ({ server }) => server.expireAccessTokens(),
  refreshTokenDies: ({ server }) => server.killRefreshTokens(),
  endpointFails: setEndpoint('fails'),
  endpointLimits: setEndpoint('limits'),
  endpointLosesAnswers: setEndpoint('loses'),
  endpointHolds: setEndpoint('holds'),
  endpointRecovers: setEndpoint('answers'),

  renewalDue: passTime,
  tokenExpires: passTime,
  retryDue: passTime,
  cooledDown: passTime,
  callTimesOut: passTime,
  holdTimesOut: passTime,
  idleTooLong: passTime,
  livedTooLong: passTime,

  sleepPastRenewal: sleep,
  sleepPastExpiry: sleep,
  wake: ({ environment }) => environment.signal('wake'),
  clockSetBack: ({ setClock }, { jumped }) => setClock(jumped),
  networkDown: ({ environment }) => environment.signal('offline'),
  networkUp: ({ environment }) => environment.signal('online'),

  otherTabRenews(bed, step) {
    refreshInOtherTab(bed, step)
    bed.store.notify()
  },
  otherTabRenewsUnheard: refreshInOtherTab,
  otherTabSignsOut: ({ store }) => store.end('signed_out'),
  otherTabExpires({ store, server }) {
    server.killRefreshTokens()
    store.end('invalid_grant')
  },
  async otherTabSignsInAsOther({ store, server, recordOf, pass }, { elapsed }) {
    await pass(elapsed)
    store.record = recordOf(server.issue('grace'), { subject: 'grace' })
    store.notify()
  },
  storageBreaks({ store }) {
    store.broken = true
  },
}

/**
 * Drivers for every event of the model, for sessions of `createTestBed`. Each driver resolves when the bed is idle.
 *
 * @example
 * ```ts
 * const model = authTestModel<TestBed>({ events: testBedDrivers, start: 'stored' })
 * ```
 */
export const testBedDrivers = Object.fromEntries(
  Object.entries(drivers).map(([name, driver]) => [
    name,
    async (bed: AnyBed, step: DrivenStep) => {
      await driver(bed, step)
      await bed.settle()
    },
  ]),
) as Required<AuthTestModelOptions<AnyBed>['events']>
