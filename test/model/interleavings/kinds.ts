import fc from 'fast-check'
import type { RequestPlan } from './asks.ts'
import type { LockManner } from './coordinator.ts'
import type { Manner } from './server.ts'
import type { Fault } from './store.ts'
import type { Tab } from './tab.ts'
import type { World } from './world.ts'

/** What one kind of command is given, whether it means anything now, and what it does. */
export interface Kind<Given> {
  readonly given: fc.Arbitrary<Given>
  /** How often it comes, compared with the others; 1 where nothing is said. */
  readonly weight?: number
  may?(world: World, given: Given): boolean
  /** What it gives is told in the counterexample. */
  run(world: World, given: Given): unknown
}

const kind = <Given>(it: Kind<Given>) => it

const tab = fc.nat(1)
const user = fc.constantFrom('ada', 'bob')
const nothing = fc.constant({})

/** A command for one tab: it means nothing where none is left, or where it stands still. */
const forTab = <Given extends { readonly tab: number }>(
  weight: number,
  given: fc.Arbitrary<Given>,
  run: (world: World, tab: Tab, given: Given) => unknown,
) =>
  kind<Given>({
    weight,
    given,
    may: (world, { tab: index }) => world.tab(index)?.page.frozen === false,
    run(world, its) {
      const meant = world.tab(its.tab)
      if (meant) run(world, meant, its)
    },
  })

const plan: fc.Arbitrary<RequestPlan> = fc.record({
  manner: fc.oneof(
    { withCrossShrink: true },
    { weight: 5, arbitrary: fc.constant('replayable' as const) },
    fc.constantFrom('once' as const, 'abortable' as const),
  ),
  endpoint: fc.oneof(
    { withCrossShrink: true },
    { weight: 6, arbitrary: fc.constant('plain' as const) },
    fc.constantFrom('picky' as const, 'strict' as const),
  ),
  foreign: fc.nat(19).map((chance) => chance === 19),
  timeout: fc.constantFrom(undefined, undefined, undefined, 3_000),
})

const manner: fc.Arbitrary<Manner> = fc.oneof(
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

/** Everything that can happen. */
export const KINDS = {
  // What the app does.
  request: forTab(10, fc.record({ tab, plan }), ({ asks }, meant, { plan: its }) => asks.request(meant, its)),
  getAccessToken: forTab(
    2,
    fc.record({ tab, minValidity: fc.nat(60_000) }),
    ({ asks }, meant, { minValidity }) => asks.token(meant, minValidity),
  ),
  refresh: forTab(3, fc.record({ tab }), ({ asks }, meant) => asks.refresh(meant)),
  ready: forTab(1, fc.record({ tab }), ({ asks }, meant) => asks.ready(meant)),
  abort: forTab(1, fc.record({ tab }), ({ asks }, meant) => asks.abort(meant)),
  signIn: forTab(2, fc.record({ tab, user, good: fc.nat(3).map((bad) => bad < 3) }), ({ asks }, meant, its) =>
    asks.signIn(meant, its.user, its.good),
  ),
  setTokens: forTab(2, fc.record({ tab, user }), ({ asks }, meant, its) => asks.setTokens(meant, its.user)),
  signOut: forTab(2, fc.record({ tab }), ({ asks }, meant) => asks.signOut(meant)),

  // What becomes of what is under way.
  deliver: kind({
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
  deliverAll: kind({ weight: 3, given: nothing, run: (world) => world.flow() }),
  lose: kind({
    weight: 2,
    given: fc.record({ pick: fc.nat(3) }),
    run: (world, { pick }) => world.lose(pick),
  }),

  // Time.
  advance: kind({
    weight: 5,
    given: fc.record({ ms: span, flowing: fc.boolean() }),
    run: (world, { ms, flowing }) => world.pass(ms, flowing),
  }),
  clockJumps: kind({
    given: fc.record({ ms: fc.integer({ min: -600_000, max: 600_000 }) }),
    run({ around }, { ms }) {
      around.clock.jump(ms)
    },
  }),

  // What happens to the machine.
  offline: kind({
    given: nothing,
    may: ({ around }) => around.online,
    run: ({ around }) => around.signal('offline'),
  }),
  online: kind({ given: nothing, run: ({ around }) => around.signal('online') }),
  woke: kind({
    given: fc.record({ kind: fc.constantFrom('visible' as const, 'wake' as const) }),
    run: ({ around }, its) => around.signal(its.kind),
  }),
  freeze: forTab(1, fc.record({ tab }), (world, meant) => {
    world.asks.freeze(meant)
  }),
  thaw: kind({
    given: fc.record({ tab }),
    may: (world, its) => world.tab(its.tab)?.page.frozen === true,
    run(world, its) {
      const meant = world.tab(its.tab)
      if (meant) world.asks.thaw(meant)
    },
  }),
  close: forTab(
    1,
    fc.record({ tab, how: fc.constantFrom('disposed' as const, 'killed' as const) }),
    (world, meant, { how }) => world.close(meant, how),
  ),
  open: kind({
    given: nothing,
    may: ({ around }) => around.living().length < around.config.pages,
    run: (world) => world.open(),
  }),

  // What happens to the store and to the lock.
  storeBreaks: kind({
    weight: 2,
    given: fc.record({
      how: fc.constantFrom<Fault>('throws', 'hangs', 'garbage', 'torn', 'quota', 'forgets'),
    }),
    may: ({ around }) => around.config.store === 'faulty',
    run: ({ around }, { how }) => around.store.breaks(how),
  }),
  storeWorks: kind({
    given: nothing,
    may: ({ around }) => around.store.fault !== 'none',
    run: ({ around }) => around.store.breaks('none'),
  }),
  storeIsWiped: kind({
    given: nothing,
    may: ({ around }) => around.store.record !== undefined,
    run({ around }) {
      around.endings++
      around.wiped = true
      for (const { name } of around.server.families) around.over.add(name)
      around.store.wipe()
    },
  }),
  lockBecomes: kind({
    given: fc.record({ how: fc.constantFrom<LockManner>('works', 'never', 'refuses', 'everybody') }),
    may: ({ around }) => around.config.coordinator === 'broken',
    run: ({ around }, { how }) => around.coordinator.behave(how),
  }),
  lockIsStolen: kind({
    given: nothing,
    may: ({ around }) => around.config.coordinator === 'broken',
    run: ({ around }) => around.coordinator.steal(),
  }),

  // What happens on the server.
  server: kind({
    weight: 3,
    given: fc.record({ manner, times: fc.integer({ min: 1, max: 6 }) }),
    run: ({ around }, its) => around.server.behave(its.manner, its.times),
  }),
  accessTokensDie: kind({
    weight: 2,
    given: nothing,
    run: ({ around }) => around.server.expireAccessTokens(),
  }),
  sessionsAreRevoked: kind({
    given: nothing,
    run({ around }) {
      around.endings++
      around.server.revokeAll()
    },
  }),
}
