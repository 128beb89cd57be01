/** Counts the timers, frames, observers and listeners of a page, to find leaks. */
import type { Auth } from 'authchart'

export interface Footprint {
  /** The current numbers: timers, frames, resize observers, listeners of the page, and subscriptions of sessions. */
  counts(): Readonly<Record<'timers' | 'frames' | 'observers' | 'listeners' | 'subscriptions', number>>
  /** How often a resize observer was called. */
  readonly resized: () => number
  /** Counts the subscriptions of a session from now on. */
  watch(auth: Pick<Auth, 'actor' | 'on'>): void
}

declare global {
  var footprint: Footprint | undefined
}

/** Runs in the page before any other script. It cannot use anything outside its body. */
export function watchFootprint(): void {
  const timers = new Set<number>()
  const { setTimeout, clearTimeout } = window
  window.setTimeout = ((callback: (...args: unknown[]) => void, delay?: number, ...args: unknown[]) => {
    const timer = setTimeout(() => {
      timers.delete(timer)
      callback(...args)
    }, delay) as unknown as number
    timers.add(timer)
    return timer
  }) as typeof setTimeout
  window.clearTimeout = (timer) => {
    timers.delete(timer as unknown as number)
    clearTimeout(timer)
  }
  const { setInterval, clearInterval } = window
  window.setInterval = ((...args: Parameters<typeof setInterval>) => {
    const timer = setInterval(...args) as unknown as number
    timers.add(timer)
    return timer
  }) as typeof setInterval
  window.clearInterval = (timer) => {
    timers.delete(timer as unknown as number)
    clearInterval(timer)
  }

  const frames = new Set<number>()
  const { requestAnimationFrame, cancelAnimationFrame } = window
  window.requestAnimationFrame = (callback) => {
    const frame = requestAnimationFrame((time) => {
      frames.delete(frame)
      callback(time)
    })
    frames.add(frame)
    return frame
  }
  window.cancelAnimationFrame = (frame) => {
    frames.delete(frame)
    cancelAnimationFrame(frame)
  }

  const observed = new Map<ResizeObserver, Set<Element>>()
  let resized = 0
  const OwnObserver = window.ResizeObserver
  window.ResizeObserver = class extends OwnObserver {
    constructor(callback: ResizeObserverCallback) {
      super((...given) => {
        resized++
        callback(...given)
      })
      observed.set(this, new Set())
    }
    override observe(element: Element, options?: ResizeObserverOptions) {
      observed.get(this)?.add(element)
      super.observe(element, options)
    }
    override unobserve(element: Element) {
      observed.get(this)?.delete(element)
      super.unobserve(element)
    }
    override disconnect() {
      observed.get(this)?.clear()
      super.disconnect()
    }
  }

  const listeners = new Map<EventTarget, Set<string>>()
  const ids = new WeakMap<object, number>()
  let lastId = 0
  const keyOf = (type: string, listener: object) => {
    const id = ids.get(listener) ?? ++lastId
    ids.set(listener, id)
    return `${type} ${id}`
  }
  const isOfThePage = (target: EventTarget) =>
    target === window || target === document || target instanceof MediaQueryList
  const { addEventListener, removeEventListener } = EventTarget.prototype
  EventTarget.prototype.addEventListener = function (type, listener, options) {
    const target = this ?? window
    if (listener && isOfThePage(target)) {
      const here = listeners.get(target) ?? new Set()
      listeners.set(target, here.add(keyOf(type, listener)))
    }
    addEventListener.call(target, type, listener, options)
  }
  EventTarget.prototype.removeEventListener = function (type, listener, options) {
    const target = this ?? window
    if (listener) listeners.get(target)?.delete(keyOf(type, listener))
    removeEventListener.call(target, type, listener, options)
  }

  let subscriptions = 0
  const counted = (stop: () => void) => {
    subscriptions++
    let stopped = false
    return () => {
      if (!stopped) subscriptions--
      stopped = true
      stop()
    }
  }
  /** The common shape of `subscribe`, `on` and `inspect`: they return a subscription. */
  type Subscribe = (...args: unknown[]) => { unsubscribe(): void }
  function countIn(owner: object, name: string) {
    const subscribe = (owner as Record<string, Subscribe>)[name] as Subscribe
    Object.assign(owner, {
      [name](...args: unknown[]) {
        const subscription = subscribe.apply(owner, args)
        return { unsubscribe: counted(() => subscription.unsubscribe()) }
      },
    })
  }

  const sum = (sets: Iterable<ReadonlySet<unknown>>) => [...sets].reduce((all, { size }) => all + size, 0)
  globalThis.footprint = {
    counts: () => ({
      timers: timers.size,
      frames: frames.size,
      observers: sum(observed.values()),
      listeners: sum(listeners.values()),
      subscriptions,
    }),
    resized: () => resized,
    watch(auth) {
      countIn(auth.actor, 'subscribe')
      countIn(auth.actor, 'on')
      countIn(auth.actor.system, 'inspect')
      const { on } = auth
      Object.assign(auth, { on: (...args: Parameters<typeof on>) => counted(on(...args)) })
    },
  }
}
