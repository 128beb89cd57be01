import type { EnvironmentSignal, SessionRecord } from '../../../src/core/ports.ts'
import { createWorldClock, type Page } from './clock.ts'
import type { Config } from './config.ts'
import { createCoordinator } from './coordinator.ts'
import { createEdges } from './edges.ts'
import { type Answered, type Exchange, noFacts } from './facts.ts'
import { createServer } from './server.ts'
import { type Clearing, createStore, type Write } from './store.ts'
import type { Tab } from './tab.ts'

/** How often something had put an end to sessions at one moment. */
export interface Stamp {
  readonly endings: number
  readonly removals: number
}

/** All that the pages of one origin share, and what was seen of them. */
export function createSurroundings(config: Config) {
  const clock = createWorldClock()
  const edges = createEdges()
  const server = createServer({ clock, ...config })
  const tabs: Tab[] = []
  const living = () => tabs.filter(({ page, disposed }) => !page.gone && !disposed)
  const tabOf = (page: Page) => tabs.find((tab) => tab.page === page)
  const signals = new Map<EnvironmentSignal, Map<Page, Set<() => void>>>()
  const found = new Map<string, Stamp>()
  let online = true

  const around = {
    config,
    clock,
    edges,
    server,
    tabs,
    living,
    facts: noFacts(),
    /** Exchanges that nobody gave up and nobody answered. */
    underWay: new Set<Exchange>(),
    /** Who got the answer to a refresh token. */
    answered: new Map<string, Answered[]>(),
    /** Which header goes with which generation of which page: one to one, for good. */
    headers: new Map<string, string>(),
    /** What a sign-out, a sign-in or a hand in the store has put an end to, by the names of families. */
    over: new Set<string>(),
    /** Sessions that a user left in so many words. */
    signedOut: new Set<string>(),
    /** Reasons for a session to end that came from outside: sign-outs, dead refresh tokens, somebody's hand in the store. */
    endings: 0,
    /** The answer that is being delivered right now is a refusal of this generation. */
    refused: undefined as
      | { readonly tab: Tab; readonly generation: number; readonly current: number }
      | undefined,
    get clockWasSetBack() {
      return clock.setBack > 0
    },
    wiped: false,

    /** How often something has put an end to sessions by now. */
    stamp: (): Stamp => ({ endings: around.endings, removals: around.store.removals }),
    /** The stamp of when a page last found the record of that family in the store, if it ever did. */
    foundAt: (page: Page, family: string | undefined) => found.get(`${page.name} ${family}`),

    store: createStore({
      edges,
      slow: config.slowStore,
      tells: config.tells,
      pages: () => living().map(({ page }) => ({ page, hear: () => around.store.hear(page) })),
      onRead: (page: Page, { scope }: SessionRecord) =>
        void found.set(`${page.name} ${scope}`, around.stamp()),
      onWrite: (write: Write) => {
        const place = tabOf(write.page)?.place()
        const family = server.familyNamed(write.record.scope)
        const afterSignOut = family !== undefined && around.signedOut.has(family.name)
        if (place) around.facts.writes.push({ ...write, place, afterSignOut })
        // Nobody told the page, and it could not tell: for whoever reads this record the session goes on.
        if (family && !write.trusts) around.signedOut.delete(family.name)
      },
      onClear: ({ page, record, unseen }: Clearing) => {
        const family = record && server.familyNamed(record.scope)
        const tab = tabOf(page)
        // Who signs out means whatever session there is.
        const leaves = tab?.asks.some(
          ({ name, settlements }) => name === 'signOut' && (settlements === 0 || tab.disposed),
        )
        const inUse =
          unseen &&
          !leaves &&
          !tab?.leftWithout &&
          family !== undefined &&
          tab?.lastFamily() !== family &&
          !around.over.has(family.name) &&
          !family.revoked &&
          living().some((other) => other.page !== page && other.family() === family)
        if (inUse) around.facts.clearings.push({ page, family })
      },
    }),
    coordinator: createCoordinator({
      clock,
      edges,
      lossy: config.coordinator === 'lossy',
      onAnnounce: (page, message) => around.facts.announcements.push({ page, message }),
      onHear: (page, message) => {
        const tab = tabOf(page)
        if (tab && message.type === 'ended') tab.heardEnded = true
      },
    }),

    get online() {
      return online
    },
    /** Tells the pages that run. */
    signal(kind: EnvironmentSignal) {
      if (kind === 'online' || kind === 'offline') online = kind === 'online'
      for (const [page, listeners] of signals.get(kind) ?? []) {
        if (page.frozen || page.gone) continue
        for (const listener of listeners) listener()
      }
    },
    listen(page: Page, kind: EnvironmentSignal, listener: () => void) {
      const ofKind = signals.get(kind) ?? new Map<Page, Set<() => void>>()
      signals.set(kind, ofKind)
      const listeners = ofKind.get(page) ?? new Set()
      ofKind.set(page, listeners.add(listener))
      return () => void listeners.delete(listener)
    },
    listening: (page: Page) =>
      [...signals.values()].reduce((sum, ofKind) => sum + (ofKind.get(page)?.size ?? 0), 0),

    /** A new session takes the place of every other one. */
    begin(user: string) {
      for (const { name } of server.families) around.over.add(name)
      // No two sign-ins fall on one millisecond: pages tell by the time which of them is the newer one.
      clock.tick()
      return server.signIn(user)
    },
  }
  return around
}

export type Surroundings = ReturnType<typeof createSurroundings>
