import type { Coordinator, CoordinatorMessage } from '../../../src/core/ports.ts'
import type { Page, WorldClock } from './clock.ts'
import type { Edges } from './edges.ts'

export type LockBehaviour =
  | 'works'
  /** Is never granted, even after the timeout. */
  | 'never'
  /** Rejects every request. */
  | 'refuses'
  /** Is granted to every page, so there are two holders. */
  | 'grantsAll'

/** A lock that a page holds or has held. */
export interface Lock {
  /** The lock has failed, so the page may go on without it. */
  readonly failed: boolean
}

interface Ticket extends Lock {
  readonly page: Page
  readonly since: number
  readonly timeout: number
  state: 'waits' | 'comes' | 'held' | 'ended'
  failed: boolean
  start(): void
  fail(why: string): void
}

/** A lock and a channel between the pages of one origin. */
export function createCoordinator({
  clock,
  edges,
  lossy,
  onAnnounce,
  onReceive,
}: {
  clock: WorldClock
  edges: Edges
  lossy: boolean
  onAnnounce: (page: Page, message: CoordinatorMessage) => void
  onReceive: (page: Page, message: CoordinatorMessage) => void
}) {
  const tickets = new Set<Ticket>()
  /**
   * The tickets of each page since it last really held the lock. A page may have several, because in cookie mode its own
   * sessions take turns, too.
   */
  const drawn = new Map<Page, Ticket[]>()
  const listeners = new Map<Page, (message: CoordinatorMessage) => void>()
  let behaviour: LockBehaviour = 'works'

  function grant() {
    if (behaviour === 'never' || behaviour === 'refuses') return
    for (const ticket of tickets) {
      const taken = [...tickets].some(({ state }) => state === 'held' || state === 'comes')
      if (ticket.state !== 'waits' || (taken && behaviour !== 'grantsAll')) continue
      ticket.state = 'comes'
      if (behaviour === 'grantsAll') ticket.failed = true
      edges.add({
        label: `the lock goes to ${ticket.page.name}`,
        to: ticket.page,
        deliver: () => ticket.state === 'comes' && ticket.start(),
        lose: undefined,
      })
    }
  }

  function release(ticket: Ticket) {
    ticket.state = 'ended'
    tickets.delete(ticket)
    grant()
  }

  return {
    behave(how: LockBehaviour) {
      behaviour = how
      grant()
    },
    /** Takes the lock from its holder, as `navigator.locks` can. */
    steal() {
      for (const ticket of tickets) {
        if (ticket.state !== 'held') continue
        ticket.failed = true
        ticket.fail('stolen')
        release(ticket)
      }
    },
    /** Releases the locks of a page that is closed. */
    forget(page: Page) {
      listeners.delete(page)
      for (const ticket of tickets) if (ticket.page === page) release(ticket)
    },
    /** The lock that a page holds, unless that lock has failed. */
    lockOf(page: Page): Lock | undefined {
      const held = [...tickets].find(
        (ticket) => ticket.page === page && ticket.state === 'held' && !ticket.failed,
      )
      if (!held) return undefined
      const all = drawn.get(page) ?? []
      const later = all.slice(all.indexOf(held) + 1)
      drawn.set(page, [held, ...later])
      // Another session of the page holds the lock. A session whose wait has timed out goes on without it.
      const timedOut = later.some(({ failed, since, timeout }) => failed || clock.uptime - since >= timeout)
      return timedOut ? undefined : held
    },
    /** Whether a page may go on without the lock. */
    excuses(page: Page) {
      return (
        drawn.get(page)?.some((ticket) => ticket.failed || clock.uptime - ticket.since >= ticket.timeout) ===
        true
      )
    },
    involves: (page: Page) => [...tickets].some((ticket) => ticket.page === page),
    listens: (page: Page) => listeners.has(page),

    coordinatorOf: (page: Page): Coordinator => ({
      exclusive(_name, task, { signal, timeout }) {
        return new Promise((resolve, reject) => {
          let timer: unknown
          const pageClock = clock.clockOf(page)
          const done = () => {
            pageClock.clearTimeout(timer)
            signal.removeEventListener('abort', abort)
          }
          const ticket: Ticket = {
            page,
            since: clock.uptime,
            timeout,
            state: 'waits',
            failed: behaviour !== 'works',
            start() {
              ticket.state = 'held'
              done()
              task()
                .then(resolve, reject)
                .finally(() => release(ticket))
            },
            fail(why) {
              done()
              reject(new Error(why))
            },
          }
          const giveUp = (why: string) => {
            ticket.fail(why)
            release(ticket)
          }
          const abort = () => giveUp('aborted')
          drawn.set(page, [...(drawn.get(page) ?? []), ticket])
          if (behaviour === 'refuses') return ticket.fail('there is no lock')
          if (signal.aborted) return ticket.fail('aborted')
          if (behaviour === 'never') return
          tickets.add(ticket)
          signal.addEventListener('abort', abort)
          timer = pageClock.setTimeout(() => giveUp('timeout'), timeout)
          grant()
        })
      },

      announce(message) {
        onAnnounce(page, message)
        for (const other of listeners.keys()) {
          if (other === page) continue
          edges.add({
            label: `'${message.type}' from ${page.name} reaches ${other.name}`,
            to: other,
            deliver: () => {
              onReceive(other, message)
              listeners.get(other)?.(message)
            },
            lose: lossy ? () => {} : undefined,
          })
        }
      },

      subscribe(listener) {
        listeners.set(page, listener)
        return () => void listeners.delete(page)
      },
    }),
  }
}
