// The defects that the search has found. Each test has the few steps that showed it.
import { describe, expect, it } from 'vitest'
import { microtasks } from './clock.ts'
import type { Config } from './config.ts'
import { runWorld } from './search.ts'
import type { Tab } from './tab.ts'
import type { World } from './world.ts'

const never = Number.POSITIVE_INFINITY

/** Two pages that share a working store and a lock. One of them is signed in as ada. */
const CALM: Config = {
  pages: 2,
  signedIn: true,
  lifetime: 600_000,
  grace: never,
  cookie: false,
  obedient: false,
  store: 'sound',
  slowStore: false,
  notifies: false,
  coordinator: 'lock',
  persist: 'all',
  lockTimeout: 60_000,
  refreshOn: 'timer',
  whenExpired: 'reject',
  ambiguousRefresh: 'retry',
  concurrency: never,
  queueLimit: 1_000,
  idle: never,
  absolute: never,
  sharesLastUse: false,
  chance: 0,
}

type Step = (world: World, first: Tab, second: Tab) => unknown

/** Runs the steps, each until no promise job is left. */
const play = (given: Partial<Config>, ...steps: Step[]) =>
  runWorld({ ...CALM, ...given }, async (world) => {
    await world.rest(undefined)
    for (const step of steps) {
      const [first, second = first] = world.around.tabs
      if (!first || !second) throw new Error('there is no page')
      await step(world, first, second)
      await world.rest(undefined)
    }
  })

/** Delivers only the first edge whose label contains that text. */
const arrives =
  (label: string): Step =>
  async ({ around, deliver }) => {
    const index = around.edges.labels().findIndex((candidate) => candidate.includes(label))
    expect(around.edges.labels()[index], `of ${around.edges.labels().join('; ')}`).toContain(label)
    await deliver(index)
  }

const all: Step = ({ flow }) => flow()

describe('a refresh that is running', () => {
  it('does not store a session again that another tab has signed out meanwhile', () =>
    play(
      {},
      all,
      ({ calls }, first) => calls.refresh(first),
      arrives('the lock goes to tab 0'),
      arrives('the refresh of tab 0 reaches the server'),
      ({ calls }, _, second) => calls.signOut(second),
      arrives('the answer to the refresh of tab 0'),
    ))

  it('does not overwrite the session of a sign-in that another tab has made meanwhile', () =>
    play(
      {},
      all,
      ({ calls }, first) => calls.refresh(first),
      arrives('the lock goes to tab 0'),
      ({ calls }, _, second) => calls.setTokens(second, 'bob'),
      arrives('the refresh of tab 0 reaches the server'),
      arrives('the answer to the refresh of tab 0'),
    ))

  it('does not restore a session that has disappeared from the store without a message', () =>
    play(
      { coordinator: 'none' },
      // The page must have seen once that this store keeps records.
      ({ calls }, first) => calls.refresh(first),
      all,
      ({ calls }, _, second) => calls.signOut(second),
      ({ lose }) => lose(0),
      ({ calls }, first) => calls.refresh(first),
      all,
    ))

  it('begins the session of a late answer that the next attempt waits for, and does not revoke it', () =>
    play(
      { pages: 1, signedIn: false, cookie: true, store: 'none', coordinator: 'none' },
      ({ calls }, first) => calls.setTokens(first, 'ada'),
      ({ close, around }) => close(around.tabs[0] as Tab, 'disposed'),
      ({ open }) => open(),
      // The first attempt times out, and the second one waits for its answer.
      ({ pass }) => pass(10_300, false),
      arrives('the refresh of tab 1 reaches the server'),
      arrives('the answer to the refresh of tab 1'),
    ))
})

describe('a refresh that returns the tokens of another user', () => {
  it('starts another session, and no request of the old session is sent in it', () =>
    play(
      { pages: 1, cookie: true, store: 'none', coordinator: 'none' },
      ({ calls }, first) => calls.refresh(first),
      ({ calls }, first) => calls.setTokens(first, 'bob'),
      // The browser keeps the cookie of this answer, even if the page discards the rest.
      arrives('the refresh of tab 0 reaches the server'),
      arrives('the answer to the refresh of tab 0'),
      ({ around }) => around.server.expireAccessTokens(),
      ({ calls }, first) =>
        calls.request(first, {
          endpoint: 'plain',
          foreign: false,
          behaviour: 'replayable',
          timeout: undefined,
        }),
      ({ lose }) => lose(0),
      ({ flow }) => flow(),
    ))
})

describe('the end of a session', () => {
  it('does not clear the newer session that another tab has stored', () =>
    play(
      { coordinator: 'none', idle: 120_000 },
      all,
      ({ pass }) => pass(60_000, true),
      ({ calls }, first) => calls.setTokens(first, 'bob'),
      ({ pass }) => pass(60_000, true),
    ))

  it('does not affect a newer session if a page requests it before reading the store', () =>
    runWorld(CALM, async ({ calls, around, rest }) => {
      const [first, second] = around.tabs as [Tab, Tab]
      calls.signOut(second)
      calls.setTokens(first, 'ada')
      await rest(undefined)
    }))

  it('does not make a page miss the newer session that a message has just announced', () =>
    play(
      { idle: 120_000 },
      all,
      ({ calls }, _, second) => calls.setTokens(second, 'bob'),
      ({ around }) => around.clock.jump(120_000),
      arrives("'changed' from tab 1 reaches tab 0"),
      (_, first) => expect(first.auth.session?.subject).toBe('bob'),
    ))

  it('does not end a newer session that another tab has loaded before the message arrives', () =>
    play(
      {},
      ({ calls }, first) => calls.signOut(first),
      ({ calls }, first) => calls.setTokens(first, 'bob'),
      arrives("'changed' from tab 0 reaches tab 1"),
      (_, __, second) => expect(second.auth.session?.subject).toBe('bob'),
      arrives("'ended' from tab 0 reaches tab 1"),
      (_, __, second) => expect(second.auth.session?.subject).toBe('bob'),
    ))
})

describe('a session that a page finds in the store', () => {
  it.each(Array.from({ length: 12 }, (_, jobs) => jobs))(
    'has ended for that page, too, if its user signs out %i promise jobs later',
    (jobs) =>
      runWorld(
        { ...CALM, persist: 'refresh-token', coordinator: 'none' },
        async ({ calls, around, rest, pass }) => {
          const [first, second] = around.tabs as [Tab, Tab]
          // Another session begins and ends while the second page reads the store.
          await microtasks(4)
          calls.setTokens(first, 'ada')
          await microtasks(jobs)
          calls.signOut(first)
          await rest(undefined)
          // The second page looks again for a missing record.
          await pass(1_000, true)
          expect(second.auth.session).toBeUndefined()
        },
      ),
  )
})

describe('a result that arrives while the chart changes its state', () => {
  it.each(Array.from({ length: 16 }, (_, jobs) => jobs))(
    'is not lost if a sign-in starts %i promise jobs after a page has begun to restore',
    (jobs) =>
      runWorld({ ...CALM, chance: 0 }, async ({ calls, around, rest }) => {
        await microtasks(jobs)
        calls.signIn(around.tabs[1] as Tab, 'bob', false)
        await rest(undefined)
      }),
  )

  it.each(Array.from({ length: 16 }, (_, jobs) => jobs))(
    'is not lost if another sign-in starts %i promise jobs after the answer to the first',
    (jobs) =>
      runWorld({ ...CALM, pages: 1, signedIn: false, store: 'none' }, async ({ calls, around, rest }) => {
        const tab = around.tabs[0] as Tab
        await rest(undefined)
        calls.signIn(tab, 'ada', true)
        await rest(undefined)
        around.edges.deliver(0)
        await microtasks(jobs)
        calls.signIn(tab, 'bob', false)
        await rest(undefined)
      }),
  )
})

describe('a store that reports success and stores nothing', () => {
  it('does not end the session of the page that writes to it', () =>
    play(
      { pages: 1, signedIn: false, store: 'faulty' },
      ({ around }) => around.store.breaks('forgets'),
      ({ calls }, first) => calls.setTokens(first, 'ada'),
      ({ calls }, first) => calls.refresh(first),
      // So long is a missing record looked for.
      ({ pass }) => pass(250, true),
      all,
      (_, first) => expect(first.auth.session?.generation).toBe(2),
    ))
})

describe('a deadline', () => {
  it('stays the same for later calls if the clock is set back', () =>
    play(
      { pages: 1, store: 'none', coordinator: 'none', whenExpired: 'hold', idle: 120_000 },
      ({ pass }) => pass(120_000, true),
      ({ calls }, first) => calls.token(first, 0),
      ({ pass }) => pass(1, false),
      ({ calls }, first) => calls.token(first, 0),
      ({ around }) => around.clock.jump(-10_001),
      ({ pass }) => pass(29_999, false),
      ({ pass }) => pass(1, false),
      (_, first) => expect(first.calls.map(({ settlements }) => settlements)).toEqual([1, 1]),
    ))
})

describe('dispose()', () => {
  it('settles a call that waits for the store behind another operation', () =>
    play(
      { pages: 1, slowStore: true, coordinator: 'none' },
      ({ calls }, first) => calls.setTokens(first, 'ada'),
      ({ close }, first) => close(first, 'disposed'),
    ))
})
