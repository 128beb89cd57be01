/** Two tabs of the real core. Every store read, lock, refresh call and message waits until the test releases it. */
import { createAuthWith } from '../../../src/core/create-auth.ts'
import { defineCoordinator, defineStorage } from '../../../src/core/features/share.ts'
import type { CoordinatorMessage, SessionRecord, TokenResponse } from '../../../src/core/ports.ts'
import { bearerRequest } from '../../../src/core/requests/bearer-request.ts'
import { createVirtualClock, settled, type VirtualClock } from '../../../src/testing/virtual-clock.ts'

/** Milliseconds; longer than any walk. */
const NEVER = 1e9
/** Milliseconds of every backoff. */
export const BACKOFF = 1_000_000
/** How long a tab waits before it looks again for a missing record. */
const PAUSE = 250

export const responseOf = (user: string, number: number): TokenResponse => ({
  access_token: `${user}-${number}`,
  refresh_token: `${user}-${number}`,
  subject: user,
})

interface Answerable {
  readonly resolve: (response: TokenResponse) => void
  readonly reject: (error: unknown) => void
}

export interface Call extends Answerable {
  readonly refreshToken: string | undefined
}

export interface Waiter {
  readonly grant: () => void
  /** The coordinator does not grant the lock, or takes it away. */
  readonly refuse: () => void
}

export interface RealRequest {
  readonly abort: () => void
  settled: boolean
  /** While in flight: the `Authorization` header, and the function that answers the request. */
  flight:
    | { readonly authorization: string | undefined; readonly answer: (status: number) => void }
    | undefined
}

/** The clock and the store that all tabs share. */
interface Shared {
  readonly clock: VirtualClock
  stored: SessionRecord | undefined
}

function openTab(shared: Shared, announce: (message: CoordinatorMessage) => void) {
  const { clock } = shared
  const faults = { read: false, write: false, clear: false }
  const reads: (() => void)[] = []
  const waiters: Waiter[] = []
  const calls: Call[] = []
  const signIns: Answerable[] = []
  const inbox: CoordinatorMessage[] = []
  let receive: (message: CoordinatorMessage) => void = () => {}
  const takeFault = (what: keyof typeof faults) => {
    const failing = faults[what]
    faults[what] = false
    return failing
  }

  const auth = createAuthWith<string, object>(
    {
      refresh: ({ refreshToken }) =>
        new Promise((resolve, reject) => void calls.push({ refreshToken, resolve, reject })),
      signIn: () => new Promise((resolve, reject) => void signIns.push({ resolve, reject })),
      storage: defineStorage({
        read: () => {
          const found = shared.stored
          const isBroken = takeFault('read')
          return new Promise((resolve, reject) => {
            reads.push(() => (isBroken ? reject(new Error('the store is broken')) : resolve(found)))
          })
        },
        write(record) {
          // Fails for the whole record and for the record without its access token; `clear` ends the fault.
          if (faults.write) throw new Error('the store is full')
          shared.stored = record
        },
        clear() {
          faults.write = false
          if (takeFault('clear')) throw new Error('the store is broken')
          shared.stored = undefined
        },
      }),
      coordinator: defineCoordinator({
        exclusive: (_, task) =>
          new Promise((resolve, reject) => {
            waiters.push({
              grant: () => void task().then(resolve, reject),
              refuse: () => reject(new Error('no lock')),
            })
          }),
        announce,
        subscribe(listener) {
          receive = listener
          return () => {}
        },
      }),
      retry: { attempts: 100, minDelay: BACKOFF, maxDelay: BACKOFF, jitter: 0 },
      timeouts: { refresh: NEVER, signIn: NEVER, lock: NEVER, storage: NEVER, hold: NEVER },
    },
    {
      clock,
      environment: { online: () => true, subscribe: () => () => {} },
      report: (error) => {
        throw error
      },
    },
  )
  return {
    auth,
    faults,
    reads,
    waiters,
    calls,
    signIns,
    inbox,
    receive: (message: CoordinatorMessage) => receive(message),
    request(): RealRequest {
      const controller = new AbortController()
      const request: RealRequest = {
        abort: () => controller.abort('aborted'),
        settled: false,
        flight: undefined,
      }
      const complete = () => {
        request.settled = true
      }
      bearerRequest<{ status: number }>(auth, {
        send: (authorization) =>
          new Promise((resolve) => {
            const answer = (status: number) => {
              request.flight = undefined
              resolve({ status })
            }
            request.flight = { authorization, answer }
          }),
        challenge: ({ status }) => (status === 401 ? 'refresh' : undefined),
        replayable: true,
        key: () => `${Math.random()}`,
        signal: controller.signal,
      }).then(complete, complete)
      return request
    },
  }
}

export type RealTab = ReturnType<typeof openTab>

/** Opens two tabs that have restored Ada's session from the store. */
export async function createRealTabs() {
  const clock = createVirtualClock()
  const shared: Shared = {
    clock,
    stored: {
      version: 1,
      id: 'ada',
      rotation: 0,
      startedAt: clock.now(),
      receivedAt: clock.now(),
      accessToken: 'ada-1',
      refreshToken: 'ada-1',
      subject: 'ada',
    },
  }
  const open = (number: number): RealTab =>
    openTab(shared, (message) => void tabs[1 - number]?.inbox.push(message))
  const tabs: RealTab[] = []
  for (const number of [0, 1]) tabs[number] = open(number)

  for (const { reads } of tabs) {
    await settled()
    for (const release of reads.splice(0)) release()
  }
  await settled()

  return {
    clock,
    tabs,
    get stored() {
      return shared.stored
    },
    /** Lets the pause pass after which a tab looks again for a missing record, and answers that second read. */
    async lookAgain() {
      const before = tabs.map(({ reads }) => reads.length)
      await clock.advance(PAUSE)
      await settled()
      for (const [number, { reads }] of tabs.entries())
        for (const release of reads.splice(before[number]!)) release()
      await settled()
    },
    /** Closes the page of a tab and opens it again. */
    async reload(number: number) {
      tabs[number]?.auth.dispose()
      await settled()
      tabs[number] = open(number)
      await settled()
    },
    dispose() {
      for (const { auth } of tabs) auth.dispose()
    },
  }
}

export type RealTabs = Awaited<ReturnType<typeof createRealTabs>>
