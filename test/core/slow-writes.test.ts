import { describe, expect, it, onTestFinished } from 'vitest'
import { Mutex } from '../../src/core/platform/mutex.ts'
import type { Coordinator, CoordinatorMessage, SessionRecord, SessionStorage } from '../../src/core/ports.ts'
import { createVirtualClock } from '../../src/testing/virtual-clock.ts'
import { createHarness, type HarnessOptions, tokens, watch } from './auth-setup.ts'

/** Tabs that share a lock, a channel, and a store that takes its time. */
function openTabs({ isOrdered = true } = {}) {
  const clock = createVirtualClock()
  const lock = new Mutex()
  const transactions = new Mutex()
  const listeners = new Set<(message: CoordinatorMessage) => void>()
  let stored: SessionRecord | undefined
  let writeTime = 5

  /** As IndexedDB: one transaction after another, whichever tab begins it. A server may answer in another order. */
  function transact<T>(time: number, act: () => T): Promise<T> {
    const run = async () => {
      await new Promise<void>((resolve) => clock.setTimeout(resolve, time))
      return act()
    }
    return isOrdered ? transactions.run(run) : run()
  }
  const storage = (): SessionStorage => ({
    read: () => transact(5, () => stored),
    write: (record) =>
      transact(writeTime, () => {
        stored = record
      }),
    clear: () =>
      transact(5, () => {
        stored = undefined
      }),
    subscribe: () => () => {},
  })
  function coordinator(): Coordinator {
    const own = new Set<(message: CoordinatorMessage) => void>()
    return {
      exclusive: (_, task) => lock.run(() => task()),
      announce(message) {
        for (const listener of listeners) if (!own.has(listener)) listener(message)
      },
      subscribe(listener) {
        own.add(listener)
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    }
  }
  return {
    clock,
    tab(options: HarnessOptions = {}) {
      const opened = createHarness({ clock, storage: storage(), coordinator: coordinator(), ...options })
      onTestFinished(() => opened.auth.dispose())
      return opened
    },
    /** From now on a write takes that long, in milliseconds. */
    slowDown(time: number) {
      writeTime = time
    },
    stored: () => stored,
  }
}

describe.each([1_900, 2_100, 4_500, 9_000])('a write that takes %i ms', (time) => {
  it('loses the session in no tab, and presents no token twice', async () => {
    const { clock, tab, slowDown, stored } = openTabs()
    const first = tab()
    await clock.advance(100)
    const second = tab({ signedOut: true })
    await clock.advance(100)
    slowDown(time)
    const refreshed = watch(first.auth.refresh())
    await clock.advance(10)
    first.refresh.call().resolve(tokens(2))
    await clock.advance(10)
    const refreshedThere = watch(second.auth.refresh())
    await clock.advance(20_000)
    expect([refreshed.state, refreshedThere.state]).toEqual(['fulfilled', 'fulfilled'])
    expect([first.refresh.calls.length, second.refresh.calls.length]).toEqual([1, 0])
    expect(await second.auth.getAccessToken()).toBe(await first.auth.getAccessToken())
    expect(stored()).toMatchObject({ rotation: 1, refreshToken: tokens(2).refresh_token })
    const next = tab({ signedOut: true })
    await clock.advance(100)
    expect(next.auth.state).toBe('authenticated')
  })

  it.each([true, false])('undoes no sign-out (ordered store: %s)', async (isOrdered) => {
    const { clock, tab, slowDown, stored } = openTabs({ isOrdered })
    const { auth, signIn } = tab({ signedOut: true })
    await clock.advance(100)
    slowDown(time)
    const signedIn = watch(auth.signIn('ada'))
    await clock.advance(10)
    signIn.call().resolve(tokens(1))
    await clock.advance(2_000)
    expect(signedIn.state).toBe('fulfilled')
    const signedOut = watch(auth.signOut())
    await clock.advance(20_000)
    expect(signedOut.state).toBe('fulfilled')
    expect(stored()).toBeUndefined()
  })
})
