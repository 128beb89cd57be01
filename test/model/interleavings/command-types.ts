import fc from 'fast-check'
import { PICKY, type RequestPlan } from './calls.ts'
import type { LockBehaviour } from './coordinator.ts'
import type { EndpointBehaviour } from './server.ts'
import type { Fault } from './store.ts'
import type { Tab } from './tab.ts'
import type { World } from './world.ts'

/** One type of command: its parameters, whether it has an effect now, and what it does. */
export interface CommandType<Given> {
  readonly given: fc.Arbitrary<Given>
  /** How often it is chosen compared with the others, by default 1. */
  readonly weight?: number
  may?(world: World, given: Given): boolean
  /** If it returns text, the counterexample shows that text. */
  run(world: World, given: Given): unknown
}

const commandType = <Given>(it: CommandType<Given>) => it

const tab = fc.nat(1)
const user = fc.constantFrom('ada', 'bob')
const nothing = fc.constant({})

/** A command for one tab. It has no effect if no tab is open, or if the tab is frozen. */
const forTab = <Given extends { readonly tab: number }>(
  weight: number,
  given: fc.Arbitrary<Given>,
  run: (world: World, tab: Tab, given: Given) => unknown,
) =>
  commandType<Given>({
    weight,
    given,
    may: (world, { tab: index }) => world.tab(index)?.page.frozen === false,
    run(world, its) {
      const target = world.tab(its.tab)
      return target && run(world, target, its)
    },
  })

const plan: fc.Arbitrary<RequestPlan> = fc.record({
  behaviour: fc.oneof(
    { withCrossShrink: true },
    { weight: 5, arbitrary: fc.constant('replayable' as const) },
    fc.constantFrom('once' as const, 'abortable' as const),
  ),
  endpoint: fc.oneof(
    { withCrossShrink: true },
    { weight: 6, arbitrary: fc.constant('plain' as const) },
    fc.constantFrom(...PICKY, 'strict' as const),
  ),
  foreign: fc.nat(19).map((chance) => chance === 19),
  timeout: fc.constantFrom(undefined, undefined, undefined, 3_000),
})

const behaviour: fc.Arbitrary<EndpointBehaviour> = fc.oneof(
  fc.record(
    {
      do: fc.constant('fail' as const),
      status: fc.constantFrom(500, 429, 503),
      acted: fc.boolean(),
      retryAfter: fc.nat(40),
    },
    { requiredKeys: ['do', 'status', 'acted'] },
  ),
  fc.record({ do: fc.constant('garble' as const) }),
  fc.record({ do: fc.constant('hang' as const), acted: fc.boolean() }),
)

const picks = fc.array(fc.oneof({ weight: 2, arbitrary: fc.constant(0) }, fc.nat(5)), {
  minLength: 1,
  maxLength: 5,
})
const span = fc.oneof(fc.nat(3_000), fc.nat(20_000), fc.nat(700_000))

/** What the app of a page does in a listener, within a step of the chart. */
function react({ calls, close, around }: World, target: Tab, by: Reaction) {
  // What follows has another cause than the answer that is delivered.
  around.refused = undefined
  if (by === 'signIn') calls.signIn(target, 'ada', true)
  else if (by === 'setTokens') calls.setTokens(target, 'bob')
  else if (by === 'signOut') calls.signOut(target)
  else if (by === 'refresh') calls.refresh(target)
  else if (by === 'request') calls.request(target, PLAIN)
  else if (by === 'token') calls.token(target, 0)
  else close(target, 'disposed')
}

type Reaction = 'signIn' | 'setTokens' | 'signOut' | 'refresh' | 'request' | 'token' | 'dispose'

const PLAIN: RequestPlan = { endpoint: 'plain', foreign: false, behaviour: 'replayable', timeout: undefined }

/** Every type of command. */
export const COMMAND_TYPES = {
  // What the app does.
  request: forTab(10, fc.record({ tab, plan }), ({ calls }, target, { plan: its }) =>
    calls.request(target, its),
  ),
  requestAllPicky: forTab(
    2,
    fc.record({ tab, flowing: fc.boolean() }),
    async (world, target, { flowing }) => {
      for (const endpoint of PICKY) {
        world.calls.request(target, { ...PLAIN, endpoint })
        if (flowing) await world.flow()
      }
    },
  ),
  getAccessToken: forTab(
    2,
    fc.record({ tab, minValidity: fc.nat(60_000) }),
    ({ calls }, target, { minValidity }) => calls.token(target, minValidity),
  ),
  refresh: forTab(3, fc.record({ tab }), ({ calls }, target) => calls.refresh(target)),
  ready: forTab(1, fc.record({ tab }), ({ calls }, target) => calls.ready(target)),
  countdown: forTab(1, fc.record({ tab }), (_, target) => void target.auth.endsAt),
  abort: forTab(1, fc.record({ tab }), ({ calls }, target) => calls.abort(target)),
  signIn: forTab(
    2,
    fc.record({ tab, user, good: fc.nat(3).map((bad) => bad < 3) }),
    ({ calls }, target, its) => calls.signIn(target, its.user, its.good),
  ),
  setTokens: forTab(2, fc.record({ tab, user }), ({ calls }, target, its) =>
    calls.setTokens(target, its.user),
  ),
  signOut: forTab(2, fc.record({ tab }), ({ calls }, target) => calls.signOut(target)),

  reacts: forTab(
    2,
    fc.record({
      tab,
      to: fc.constantFrom(
        'transition' as const,
        'signedIn' as const,
        'refreshed' as const,
        'refreshFailed' as const,
        'expired' as const,
        'signedOut' as const,
        'requestHeld' as const,
        'requestReplayed' as const,
        'stepUpRequired' as const,
        'discarded' as const,
      ),
      by: fc.constantFrom(
        'signIn' as const,
        'setTokens' as const,
        'signOut' as const,
        'refresh' as const,
        'request' as const,
        'token' as const,
        'dispose' as const,
      ),
    }),
    (world, target, { to, by }) => {
      const stop = target.auth.on(to, () => {
        stop()
        if (world.around.reacts) react(world, target, by)
      })
    },
  ),

  // What happens to edges.
  deliver: commandType({
    weight: 12,
    given: fc.record({ picks }),
    async run(world, given) {
      const labels: string[] = []
      for (const pick of given.picks) {
        const label = await world.deliver(pick)
        if (label) labels.push(label)
      }
      return labels.join('; ')
    },
  }),
  deliverAll: commandType({ weight: 3, given: nothing, run: (world) => world.flow() }),
  lose: commandType({
    weight: 2,
    given: fc.record({ pick: fc.nat(3) }),
    run: (world, { pick }) => world.lose(pick),
  }),

  // Time.
  advance: commandType({
    weight: 5,
    given: fc.record({ ms: span, flowing: fc.boolean() }),
    run: (world, { ms, flowing }) => world.pass(ms, flowing),
  }),
  clockJumps: commandType({
    given: fc.record({ ms: fc.integer({ min: -600_000, max: 600_000 }) }),
    run({ around }, { ms }) {
      around.clock.jump(ms)
    },
  }),

  // What happens to the machine.
  offline: commandType({
    given: nothing,
    may: ({ around }) => around.online,
    run: ({ around }) => around.signal('offline'),
  }),
  online: commandType({ given: nothing, run: ({ around }) => around.signal('online') }),
  woke: commandType({
    given: fc.record({ kind: fc.constantFrom('visible' as const, 'wake' as const) }),
    run: ({ around }, its) => around.signal(its.kind),
  }),
  freeze: forTab(1, fc.record({ tab }), (world, target) => {
    world.calls.freeze(target)
  }),
  thaw: commandType({
    given: fc.record({ tab }),
    may: (world, its) => world.tab(its.tab)?.page.frozen === true,
    run(world, its) {
      const target = world.tab(its.tab)
      if (target) world.calls.thaw(target)
    },
  }),
  suspended: forTab(
    2,
    fc.record({ tab, ms: span, flowing: fc.boolean() }),
    (world, target, { ms, flowing }) => world.suspend(target, ms, flowing),
  ),
  close: forTab(
    1,
    fc.record({ tab, how: fc.constantFrom('disposed' as const, 'killed' as const) }),
    (world, target, { how }) => world.close(target, how),
  ),
  open: commandType({
    given: nothing,
    may: ({ around }) => around.living().length < around.config.pages,
    run: (world) => world.open(),
  }),

  // What happens to the store and to the lock.
  storeBreaks: commandType({
    weight: 2,
    given: fc.record({
      how: fc.constantFrom<Fault>('throws', 'hangs', 'garbage', 'torn', 'quota', 'forgets'),
    }),
    may: ({ around }) => around.config.store === 'faulty',
    run: ({ around }, { how }) => around.store.breaks(how),
  }),
  storeWorks: commandType({
    given: nothing,
    may: ({ around }) => around.store.fault !== 'none',
    run: ({ around }) => around.store.breaks('none'),
  }),
  storeIsWiped: commandType({
    given: nothing,
    may: ({ around }) => around.store.record !== undefined,
    run({ around }) {
      around.endings++
      around.wiped = true
      for (const { name } of around.server.families) around.ended.add(name)
      around.store.wipe()
    },
  }),
  lockBecomes: commandType({
    given: fc.record({ how: fc.constantFrom<LockBehaviour>('works', 'never', 'refuses', 'grantsAll') }),
    may: ({ around }) => around.config.coordinator === 'broken',
    run: ({ around }, { how }) => around.coordinator.behave(how),
  }),
  lockIsStolen: commandType({
    given: nothing,
    may: ({ around }) => around.config.coordinator === 'broken',
    run: ({ around }) => around.coordinator.steal(),
  }),

  // What happens on the server.
  server: commandType({
    weight: 3,
    given: fc.record({ behaviour, times: fc.integer({ min: 1, max: 6 }) }),
    run: ({ around }, its) => around.server.behave(its.behaviour, its.times),
  }),
  accessTokensDie: commandType({
    weight: 2,
    given: nothing,
    run: ({ around }) => around.server.expireAccessTokens(),
  }),
  sessionsAreRevoked: commandType({
    given: nothing,
    run({ around }) {
      around.endings++
      around.server.revokeAll()
    },
  }),
}
