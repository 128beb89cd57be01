/**
 * Removes an entry of IndexedDB at once: a mark in `localStorage` says that all entries until that instant are removed. A page
 * that is left may not get to remove the entry itself, and may still store one that it was writing.
 */
export class Removal {
  readonly #key: string

  constructor(name: string) {
    this.#key = `${name}.removed`
  }

  /** Marks the entry as removed. Returns a function to be called when it is. */
  begin(): () => void {
    const storage = pageStorage()
    const until = this.#until
    const mark = String(Math.max(Date.now(), until))
    try {
      storage?.setItem(this.#key, mark)
    } catch {
      // Without room for it, the entry is removed a moment later.
    }
    return () => {
      if (storage?.getItem(this.#key) === mark) storage.removeItem(this.#key)
    }
  }

  /** When an entry is written, in milliseconds since the Unix epoch: later than the last removal. */
  now(): number {
    return Math.max(Date.now(), this.#until + 1)
  }

  /** Returns a function that says whether an entry was written before the last removal until now. */
  look(): (entry: unknown) => boolean {
    const until = this.#until
    return (entry) => ((Object(entry) as { at?: number }).at ?? 0) <= until
  }

  get #until(): number {
    const mark = Number(pageStorage()?.getItem(this.#key) ?? Number.NaN)
    return mark > 0 ? mark : Number.NEGATIVE_INFINITY
  }
}

/** Workers have none. Reading it throws if the browser blocks storage. */
function pageStorage(): Storage | undefined {
  try {
    return typeof document === 'undefined' ? undefined : localStorage
  } catch {
    return undefined
  }
}
