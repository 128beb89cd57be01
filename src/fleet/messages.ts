/** Passes the messages of one channel to the listeners of their key. Listens only while there are any. */
export class Messages {
  readonly #listen: (hear: (key: string, message: string) => void) => () => void
  readonly #listeners = new Map<string, Set<(message: string) => void>>()
  #stop: (() => void) | undefined

  /** @param listen begins to listen to the channel; returns a function that stops it */
  constructor(listen: (hear: (key: string, message: string) => void) => () => void) {
    this.#listen = listen
  }

  readonly subscribe = (key: string, hear: (message: string) => void): (() => void) => {
    const listeners = this.#listeners.get(key) ?? new Set()
    this.#listeners.set(key, listeners)
    // Another function each time: the same listener may be added twice.
    const own = (message: string) => hear(message)
    listeners.add(own)
    this.#stop ??= this.#listen((about, message) => this.deliver(about, message))
    return () => {
      listeners.delete(own)
      if (listeners.size === 0 && this.#listeners.get(key) === listeners) this.#listeners.delete(key)
      if (this.#listeners.size > 0) return
      this.#stop?.()
      this.#stop = undefined
    }
  }

  readonly deliver = (key: string, message: string): void => {
    for (const hear of [...(this.#listeners.get(key) ?? [])]) hear(message)
  }
}
