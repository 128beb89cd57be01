type Listener = (message: string) => void

/** Passes the messages of one channel to the listeners of their key. Listens only while there are any. */
export class Messages {
  readonly #listen: (hear: (key: string, message: string) => void) => () => void
  /** Each change makes a new list, so that a listener may end while a message is passed on. */
  readonly #listeners = new Map<string, readonly Listener[]>()
  #stop: (() => void) | undefined

  /** @param listen begins to listen to the channel; returns a function that stops it */
  constructor(listen: (hear: (key: string, message: string) => void) => () => void) {
    this.#listen = listen
  }

  readonly subscribe = (key: string, hear: Listener): (() => void) => {
    // Another function each time: the same listener may be added twice.
    const own: Listener = (message) => hear(message)
    this.#listeners.set(key, [...this.#of(key), own])
    this.#stop ??= this.#listen((about, message) => this.deliver(about, message))
    return () => {
      const others = this.#of(key).filter((listener) => listener !== own)
      if (others.length > 0) this.#listeners.set(key, others)
      else this.#listeners.delete(key)
      if (this.#listeners.size > 0) return
      this.#stop?.()
      this.#stop = undefined
    }
  }

  readonly deliver = (key: string, message: string): void => {
    for (const hear of this.#of(key)) hear(message)
  }

  #of(key: string): readonly Listener[] {
    return this.#listeners.get(key) ?? []
  }
}
