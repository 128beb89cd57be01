import type { EnvironmentSignal, SessionRecord } from '../../../src/core/ports.ts'
import { createWorldClock, type Page } from './clock.ts'
import type { Config } from './config.ts'
import { createCoordinator } from './coordinator.ts'
import { createEdges } from './edges.ts'
import { type Answered, noFacts, type RefreshCall } from './facts.ts'
import { createServer } from './server.ts'
import { type Clearing, createStore, type Write } from './store.ts'
import type { Tab } from './tab.ts'

/** How often sessions had been ended from outside at one moment. */
export interface Stamp {
  readonly endings: number
  readonly removals: number
}

/** A 401 of the API. */
export interface Refusal {
  readonly tab: Tab
  /** The generation that it rejects, and the current one. */
  readonly generation: number
  readonly current: number
  /** The server accepts the token elsewhere. */
  readonly works: boolean
}

/** Everything that the pages of one origin share, and what was observed of them. */
export function createSurroundings(config: Config) {
  const clock = createWorldClock()
  const edges = createEdges()
  const server = createServer({ clock, ...config })
  const tabs: Tab[] = []
  const living = () => tabs.filter(({ page, disposed }) => !page.closed && !disposed)
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
    /** Refreshes that are neither aborted nor answered. */
    underWay: new Set<RefreshCall>(),
    /** The tabs that received the answer to a refresh token, by that token. */
    answered: new Map<string, Answered[]>(),
    /** The header of each generation of each page, which must never change. */
    headers: new Map<string, string>(),
    /** The names of families that a sign-out, a sign-in or a wiped store has ended. */
    ended: new Set<string>(),
    /** The names of families whose user called `signOut()`. */
    signedOut: new Set<string>(),
    /** The names of families of which an answer of the server has been lost. */
    lost: new Set<string>(),
    /** How many causes for the end of a session came from outside: sign-outs, revoked refresh tokens, wiped stores. */
    endings: 0,
    /** The generation that the answer being delivered rejects. */
    refused: undefined as Refusal | undefined,
    get clockWasSetBack() {
      return clock.setBack > 0
    },
    wiped: false,
    /** Whether listeners call the library: not while the world is repaired and closed. */
    reacts: true,

    /** How often sessions have been ended from outside until now. */
    stamp: (): Stamp => ({ endings: around.endings, removals: around.store.removals }),
    /** The stamp of the moment when a page last found the record of that family in the store. */
    foundAt: (page: Page, family: string | undefined) => found.get(`${page.name} ${family}`),

    store: createStore({
      clock,
      edges,
      slow: config.slowStore,
      notifies: config.notifies,
      sharesLastUse: config.sharesLastUse,
      pages: () => living().map(({ page }) => ({ page, notify: () => around.store.notify(page) })),
      onRead: (page: Page, { scope }: SessionRecord) =>
        void found.set(`${page.name} ${scope}`, around.stamp()),
      onWrite: (write: Write) => {
        const view = tabOf(write.page)?.view()
        const family = server.familyNamed(write.record.scope)
        const afterSignOut = family !== undefined && around.signedOut.has(family.name)
        if (view) around.facts.writes.push({ ...write, view, afterSignOut })
        // The page could not know about the sign-out, and pages that read this record continue the session.
        if (family && !write.trusts) around.signedOut.delete(family.name)
      },
      onClear: ({ page, record, unseen }: Clearing) => {
        const family = record && server.familyNamed(record.scope)
        const tab = tabOf(page)
        // A sign-out may clear any session.
        const signsOut = tab?.calls.some(
          ({ name, settlements }) => name === 'signOut' && (settlements === 0 || tab.disposed),
        )
        const inUse =
          unseen &&
          !signsOut &&
          !tab?.signedOutWithoutSession &&
          family !== undefined &&
          tab?.lastFamily() !== family &&
          !around.ended.has(family.name) &&
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
      onReceive: (page, message) => {
        const tab = tabOf(page)
        if (message.type === 'ended') tab?.received.add(String(message.reason))
      },
    }),

    get online() {
      return online
    },
    /** Notifies the pages that run. */
    signal(kind: EnvironmentSignal) {
      if (kind === 'online' || kind === 'offline') online = kind === 'online'
      for (const [page, listeners] of signals.get(kind) ?? []) {
        if (page.frozen || page.closed) continue
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

    /** Starts a new session, which replaces all others. */
    begin(user: string) {
      for (const { name } of server.families) around.ended.add(name)
      // Each sign-in has its own millisecond, because pages compare sign-ins by their time.
      clock.tick()
      return server.signIn(user)
    },
  }
  return around
}

export type Surroundings = ReturnType<typeof createSurroundings>
