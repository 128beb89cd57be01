// What the search has found, once mended: each as the few steps that showed it.
import { describe, expect, it } from 'vitest'
import { turns } from './clock.ts'
import type { Config } from './config.ts'
import { live } from './search.ts'
import type { Tab } from './tab.ts'
import type { World } from './world.ts'

const never = Number.POSITIVE_INFINITY

/** Two pages that share a sound store and a lock, one of which is signed in as ada. */
const CALM: Config = {
  pages: 2,
  signedIn: true,
  lifetime: 600_000,
  grace: never,
  cookie: false,
  obedient: false,
  store: 'sound',
  slowStore: false,
  tells: false,
  coordinator: 'lock',
  persist: 'all',
  lockTimeout: 60_000,
  renew: 'timer',
  whenExpired: 'reject',
  ambiguousRefresh: 'retry',
  concurrency: never,
  queueLimit: 1_000,
  idle: never,
  absolute: never,
  chance: 0,
}

type Step = (world: World, first: Tab, second: Tab) => unknown

/** Plays the steps, each to its end. */
const play = (given: Partial<Config>, ...steps: Step[]) =>
  live({ ...CALM, ...given }, async (world) => {
    await world.rest(undefined)
    for (const step of steps) {
      const [first, second = first] = world.around.tabs
      if (!first || !second) throw new Error('there is no page')
      await step(world, first, second)
      await world.rest(undefined)
    }
  })

/** Delivers the first thing under way of that name, and nothing else. */
const arrives =
  (label: string): Step =>
  async ({ around, deliver }) => {
    const index = around.edges.labels().findIndex((candidate) => candidate.includes(label))
    expect(around.edges.labels()[index], `of ${around.edges.labels().join('; ')}`).toContain(label)
    await deliver(index)
  }

const all: Step = ({ flow }) => flow()

describe('a renewal that was under way', () => {
  it('does not bring a session back to the store that a sibling has signed out of meanwhile', () =>
    play(
      {},
      all,
      ({ asks }, first) => asks.refresh(first),
      arrives('the lock goes to tab 0'),
      arrives('the refresh of tab 0 reaches the server'),
      ({ asks }, _, second) => asks.signOut(second),
      arrives('the answer to the refresh of tab 0'),
    ))

  it('does not overwrite the session that a sibling has signed in to meanwhile', () =>
    play(
      {},
      all,
      ({ asks }, first) => asks.refresh(first),
      arrives('the lock goes to tab 0'),
      ({ asks }, _, second) => asks.setTokens(second, 'bob'),
      arrives('the refresh of tab 0 reaches the server'),
      arrives('the answer to the refresh of tab 0'),
    ))

  it('does not bring a session back that is gone from the store, though nobody told so', () =>
    play(
      { coordinator: 'none' },
      // It has to have seen once that this store keeps what it is given.
      ({ asks }, first) => asks.refresh(first),
      all,
      ({ asks }, _, second) => asks.signOut(second),
      ({ lose }) => lose(0),
      ({ asks }, first) => asks.refresh(first),
      all,
    ))

  it('is of the session that another try of it has begun: its late answer does not revoke that one', () =>
    play(
      { pages: 1, signedIn: false, cookie: true, store: 'none', coordinator: 'none' },
      ({ asks }, first) => asks.setTokens(first, 'ada'),
      ({ close, around }) => close(around.tabs[0] as Tab, 'disposed'),
      ({ open }) => open(),
      // The first try takes too long, and the second one sets out.
      ({ pass }) => pass(10_300, false),
      arrives('the refresh of tab 1 reaches the server'),
      arrives('the answer to the refresh of tab 1'),
      arrives('the refresh of tab 1 reaches the server'),
      arrives('the answer to the refresh of tab 1'),
    ))
})

describe('a renewal that brings the tokens of somebody else', () => {
  it('is another session: what was asked for the one is not sent for the other', () =>
    play(
      { pages: 1, cookie: true, store: 'none', coordinator: 'none' },
      ({ asks }, first) => asks.refresh(first),
      ({ asks }, first) => asks.setTokens(first, 'bob'),
      // The browser keeps the cookie that this answer sets, whatever the page makes of the rest.
      arrives('the refresh of tab 0 reaches the server'),
      arrives('the answer to the refresh of tab 0'),
      ({ around }) => around.server.expireAccessTokens(),
      ({ asks }, first) =>
        asks.request(first, { endpoint: 'plain', foreign: false, manner: 'replayable', timeout: undefined }),
      ({ lose }) => lose(0),
      ({ flow }) => flow(),
    ))
})

describe('the end of a session', () => {
  it('does not take away the newer session that a sibling keeps in the store', () =>
    play(
      { coordinator: 'none', idle: 120_000 },
      all,
      ({ pass }) => pass(60_000, true),
      ({ asks }, first) => asks.setTokens(first, 'bob'),
      ({ pass }) => pass(60_000, true),
    ))

  it('that a page asks for before it has read the store is not the end of a newer one', () =>
    live(CALM, async ({ asks, around, rest }) => {
      const [first, second] = around.tabs as [Tab, Tab]
      asks.signOut(second)
      asks.setTokens(first, 'ada')
      await rest(undefined)
    }))

  it('does not make a page miss the newer session that it was just told of', () =>
    play(
      { idle: 120_000 },
      all,
      ({ asks }, _, second) => asks.setTokens(second, 'bob'),
      ({ around }) => around.clock.jump(120_000),
      arrives("'changed' from tab 1 reaches tab 0"),
      (_, first) => expect(first.auth.session?.subject).toBe('bob'),
    ))

  it('does not end the newer session that a sibling has taken over before it hears of it', () =>
    play(
      {},
      ({ asks }, first) => asks.signOut(first),
      ({ asks }, first) => asks.setTokens(first, 'bob'),
      arrives("'changed' from tab 0 reaches tab 1"),
      (_, __, second) => expect(second.auth.session?.subject).toBe('bob'),
      arrives("'ended' from tab 0 reaches tab 1"),
      (_, __, second) => expect(second.auth.session?.subject).toBe('bob'),
    ))
})

describe('a session that is found in the store', () => {
  it.each(Array.from({ length: 12 }, (_, jobs) => jobs))(
    'and that its user leaves %i promise jobs later is over for who found it, too',
    (jobs) =>
      live(
        { ...CALM, persist: 'refresh-token', coordinator: 'none' },
        async ({ asks, around, rest, pass }) => {
          const [first, second] = around.tabs as [Tab, Tab]
          // In the midst of the look of the second page, another session comes and goes.
          await turns(4)
          asks.setTokens(first, 'ada')
          await turns(jobs)
          asks.signOut(first)
          await rest(undefined)
          await pass(0, true)
          expect(second.auth.session).toBeUndefined()
        },
      ),
  )
})

describe('a result that comes in the moment when the chart goes elsewhere', () => {
  it.each(Array.from({ length: 16 }, (_, jobs) => jobs))(
    'is heard of: a page that restores, and a sign-in %i promise jobs later',
    (jobs) =>
      live({ ...CALM, chance: 0 }, async ({ asks, around, rest }) => {
        await turns(jobs)
        asks.signIn(around.tabs[1] as Tab, 'bob', false)
        await rest(undefined)
      }),
  )

  it.each(Array.from({ length: 16 }, (_, jobs) => jobs))(
    'is heard of: a sign-in that was answered, and another one %i promise jobs later',
    (jobs) =>
      live({ ...CALM, pages: 1, signedIn: false, store: 'none' }, async ({ asks, around, rest }) => {
        const tab = around.tabs[0] as Tab
        await rest(undefined)
        asks.signIn(tab, 'ada', true)
        await rest(undefined)
        around.edges.deliver(0)
        await turns(jobs)
        asks.signIn(tab, 'bob', false)
        await rest(undefined)
      }),
  )
})

describe('a store that takes everything and keeps nothing', () => {
  it('signs nobody out', () =>
    play(
      { pages: 1, signedIn: false, store: 'faulty' },
      ({ around }) => around.store.breaks('forgets'),
      ({ asks }, first) => asks.setTokens(first, 'ada'),
      ({ asks }, first) => asks.refresh(first),
      all,
      (_, first) => expect(first.auth.session?.generation).toBe(2),
    ))
})

describe('a deadline', () => {
  it('does not move away from who came later because the clock was set back', () =>
    play(
      { pages: 1, store: 'none', coordinator: 'none', whenExpired: 'hold', idle: 120_000 },
      ({ pass }) => pass(120_000, true),
      ({ asks }, first) => asks.token(first, 0),
      ({ pass }) => pass(1, false),
      ({ asks }, first) => asks.token(first, 0),
      ({ around }) => around.clock.jump(-10_001),
      ({ pass }) => pass(29_999, false),
      ({ pass }) => pass(1, false),
      (_, first) => expect(first.asks.map(({ settlements }) => settlements)).toEqual([1, 1]),
    ))
})

describe('dispose', () => {
  it('lets go of who waits for the store behind somebody else', () =>
    play(
      { pages: 1, slowStore: true, coordinator: 'none' },
      ({ asks }, first) => asks.setTokens(first, 'ada'),
      ({ close }, first) => close(first, 'disposed'),
    ))
})
