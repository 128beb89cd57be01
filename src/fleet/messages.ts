import { pause } from '../coordination/lock-timeout.ts'

type Listener = (message: string) => void

/** How long a channel is listened to after its last listener, in milliseconds: a request with a wrong cookie listens only briefly. */
const LINGER = 250

/** Passes the messages of one channel to the listeners of their key. Listens to it only while there are any. */
export class Messages {
  readonly #listen: ((hear: (key: string, message: string) => void) => () => void) | undefined
  /** Each change makes a new list, so that a listener may end while a message is passed on. */
  readonly #listeners = new Map<string, readonly Listener[]>()
  #stop: (() => void) | undefined
  #isLingering = false
  /** How often the last listener has ended. */
  #ends = 0

  /** @param listen begins to listen to the channel; returns a function that stops it. Default: messages are only passed to `deliver` */
  constructor(listen?: (hear: (key: string, message: string) => void) => () => void) {
    this.#listen = listen
  }

  readonly subscribe = (key: string, hear: Listener): (() => void) => {
    // Another function each time: the same listener may be added twice.
    const own: Listener = (message) => hear(message)
    this.#listeners.set(key, [...this.#of(key), own])
    this.#stop ??= this.#listen?.((about, message) => this.deliver(about, message))
    return () => {
      const others = this.#of(key).filter((listener) => listener !== own)
      if (others.length > 0) this.#listeners.set(key, others)
      else this.#listeners.delete(key)
      if (this.#stop && this.#listeners.size === 0) void this.#stopLater()
    }
  }

  readonly deliver = (key: string, message: string): void => {
    for (const hear of this.#of(key)) hear(message)
  }

  async #stopLater(): Promise<void> {
    this.#ends++
    if (this.#isLingering) return
    this.#isLingering = true
    let before: number
    do {
      before = this.#ends
      await pause(LINGER)
    } while (before !== this.#ends)
    this.#isLingering = false
    if (this.#listeners.size > 0) return
    this.#stop?.()
    this.#stop = undefined
  }

  #of(key: string): readonly Listener[] {
    return this.#listeners.get(key) ?? []
  }
}
