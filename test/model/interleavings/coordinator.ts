import type { Coordinator, CoordinatorMessage } from '../../../src/core/ports.ts'
import type { Page, WorldClock } from './clock.ts'
import type { Edges } from './edges.ts'

export type LockManner =
  | 'works'
  /** Never comes, whatever the timeout says. */
  | 'never'
  /** Cannot be had. */
  | 'refuses'
  /** Everybody gets it: two leaders. */
  | 'everybody'

/** A lock that somebody has, or had. */
export interface Lock {
  /** It was not this page's doing that it goes on without the lock. */
  readonly failed: boolean
}

interface Ticket extends Lock {
  readonly page: Page
  readonly since: number
  readonly timeout: number
  state: 'waits' | 'comes' | 'held' | 'over'
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
  onHear,
}: {
  clock: WorldClock
  edges: Edges
  lossy: boolean
  onAnnounce: (page: Page, message: CoordinatorMessage) => void
  onHear: (page: Page, message: CoordinatorMessage) => void
}) {
  const tickets = new Set<Ticket>()
  /** Those each page drew since it last held the lock by right: in cookie mode it takes turns with itself, too. */
  const drawn = new Map<Page, Ticket[]>()
  const listeners = new Map<Page, (message: CoordinatorMessage) => void>()
  let manner: LockManner = 'works'

  function grant() {
    if (manner === 'never' || manner === 'refuses') return
    for (const ticket of tickets) {
      const taken = [...tickets].some(({ state }) => state === 'held' || state === 'comes')
      if (ticket.state !== 'waits' || (taken && manner !== 'everybody')) continue
      ticket.state = 'comes'
      if (manner === 'everybody') ticket.failed = true
      edges.add({
        label: `the lock goes to ${ticket.page.name}`,
        to: ticket.page,
        deliver: () => ticket.state === 'comes' && ticket.start(),
        lose: undefined,
      })
    }
  }

  function leave(ticket: Ticket) {
    ticket.state = 'over'
    tickets.delete(ticket)
    grant()
  }

  return {
    behave(how: LockManner) {
      manner = how
      grant()
    },
    /** Takes the lock from who has it, as `navigator.locks` can. */
    steal() {
      for (const ticket of tickets) {
        if (ticket.state !== 'held') continue
        ticket.failed = true
        ticket.fail('stolen')
        leave(ticket)
      }
    },
    /** A page that is closed lets go. */
    forget(page: Page) {
      listeners.delete(page)
      for (const ticket of tickets) if (ticket.page === page) leave(ticket)
    },
    /** The lock a page holds, where it has it by right. */
    lockOf(page: Page): Lock | undefined {
      const held = [...tickets].find(
        (ticket) => ticket.page === page && ticket.state === 'held' && !ticket.failed,
      )
      if (!held) return undefined
      const all = drawn.get(page) ?? []
      const later = all.slice(all.indexOf(held) + 1)
      drawn.set(page, [held, ...later])
      // Another session of the page holds it: who waited for that one in vain goes on without.
      const inVain = later.some(({ failed, since, timeout }) => failed || clock.uptime - since >= timeout)
      return inVain ? undefined : held
    },
    /** Whether a page that goes on without the lock has a right to. */
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
            failed: manner !== 'works',
            start() {
              ticket.state = 'held'
              done()
              task()
                .then(resolve, reject)
                .finally(() => leave(ticket))
            },
            fail(why) {
              done()
              reject(new Error(why))
            },
          }
          const giveUp = (why: string) => {
            ticket.fail(why)
            leave(ticket)
          }
          const abort = () => giveUp('aborted')
          drawn.set(page, [...(drawn.get(page) ?? []), ticket])
          if (manner === 'refuses') return ticket.fail('there is no lock')
          if (signal.aborted) return ticket.fail('aborted')
          if (manner === 'never') return
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
              onHear(other, message)
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

export type WorldCoordinator = ReturnType<typeof createCoordinator>
