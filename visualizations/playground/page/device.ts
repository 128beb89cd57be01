/** What happens to the device. All tabs are on the same one: it has one clock, and sleeps as a whole. */
import type { DeviceClock } from './clock.ts'
import type { PluggedEnvironment } from './environment.ts'
import { control, readServerClock } from './network.ts'
import { createPool } from './pool.ts'

/** How far ahead a wrong clock is, in milliseconds. */
const SKEW = 3_600_000
/** How long the device sleeps by the clock, and how long one has to wait for it, in milliseconds. */
const SLEEP = 60_000
const NAP = 1_500

const KEY = 'playground.skewed'
const isSkewed = () => localStorage.getItem(KEY) !== null

export interface Device {
  readonly isSkewed: boolean
  /** Sets the clock an hour ahead, or right again, for all tabs. */
  setSkewed(skewed: boolean): void
  /** Sleeps in all tabs, and the server's clock goes on; resolves when it wakes. Where it sleeps already, joins. */
  sleep(): Promise<void>
  /** Cuts this tab off, or lets it back. */
  setOnline(online: boolean): Promise<void>
  /** Calls back when another tab did something to the clock. */
  onChange(listener: () => void): void
}

/** @param ahead how far the clock is ahead of the system's, in milliseconds, for all the sleep there was */
export function createDevice(clock: DeviceClock, environment: PluggedEnvironment, ahead: number): Device {
  const tabs = new BroadcastChannel('playground.device')
  const listeners = new Set<() => void>()
  let skewed = false
  let nap: Promise<void> | undefined
  let sleeping: Promise<void> | undefined
  /** The plug, out and in again, reaches the server in that order. */
  const inTurn = createPool(1)

  const follow = () => {
    if (isSkewed() === skewed) return
    skewed = !skewed
    clock.shift(skewed ? SKEW : -SKEW)
    for (const listener of listeners) listener()
  }

  /** Tabs that send each other to sleep at once come out at the same time of day: the server's. */
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
    const until = await readServerClock()
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
        // It hears that it is back once it is.
        if (!online) environment.plug(false)
        await control(online ? 'online' : 'offline')
        environment.plug(online)
      }),
    onChange: (listener) => void listeners.add(listener),
  }
}
