/** The simulated device. All tabs share it: they have the same clock, and sleep together. */
import type { DeviceClock } from './clock.ts'
import type { PluggedEnvironment } from './environment.ts'
import { control, readServerClock } from './network.ts'
import { createPool } from './pool.ts'

/** The error of a wrong clock, in milliseconds. */
const SKEW = 3_600_000
/** How long the device sleeps by its clock, and how long that takes in real time, in milliseconds. */
const SLEEP = 60_000
const NAP = 1_500

const KEY = 'playground.skewed'
const isSkewed = () => localStorage.getItem(KEY) !== null

export interface Device {
  readonly isSkewed: boolean
  /** Sets the clock an hour ahead, or back to the correct time, for all tabs. */
  setSkewed(skewed: boolean): void
  /** Sleeps in all tabs, while the server's clock advances. Resolves on waking. A second call joins the current sleep. */
  sleep(): Promise<void>
  /** Disconnects this tab, or connects it again. */
  setOnline(online: boolean): Promise<void>
  /** Adds a listener for changes of the clock, also by another tab. */
  onChange(listener: () => void): void
}

/** @param ahead how far the clock is ahead of the system clock because of earlier sleep, in milliseconds */
export function createDevice(clock: DeviceClock, environment: PluggedEnvironment, ahead: number): Device {
  const tabs = new BroadcastChannel('playground.device')
  const listeners = new Set<() => void>()
  let skewed = false
  let nap: Promise<void> | undefined
  let sleeping: Promise<void> | undefined
  /** Runs one task at a time, so that the server receives disconnects and connects in order. */
  const inTurn = createPool(1)

  const follow = () => {
    if (isSkewed() === skewed) return
    skewed = !skewed
    clock.shift(skewed ? SKEW : -SKEW)
    for (const listener of listeners) listener()
  }

  /** Sleeps until a time of the server's clock, so that all tabs wake at the same time of day. */
  function sleepHere(until: number): Promise<void> {
    clock.freeze()
    const leap = Math.max(0, until - ahead)
    clock.shift(leap)
    ahead += leap
    nap ??= new Promise<void>((resolve) => setTimeout(resolve, NAP)).then(() => {
      nap = undefined
      clock.thaw()
      environment.wake()
    })
    return nap
  }

  async function sleepEverywhere() {
    await control('sleep', { ms: String(SLEEP) })
    const { ahead: until } = await readServerClock()
    tabs.postMessage(until)
    await sleepHere(until)
  }

  follow()
  addEventListener('storage', follow)
  tabs.onmessage = ({ data }: MessageEvent<number>) => void sleepHere(data)

  return {
    get isSkewed() {
      return skewed
    },
    setSkewed(next) {
      if (next) localStorage.setItem(KEY, '1')
      else localStorage.removeItem(KEY)
      follow()
    },
    sleep() {
      sleeping ??= sleepEverywhere().finally(() => {
        sleeping = undefined
      })
      return sleeping
    },
    setOnline: (online) =>
      inTurn(async () => {
        // Offline takes effect before the server knows, online only after.
        if (!online) environment.plug(false)
        await control(online ? 'online' : 'offline')
        environment.plug(online)
      }),
    onChange: (listener) => void listeners.add(listener),
  }
}
