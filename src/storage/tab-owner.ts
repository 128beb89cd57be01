import { outsideZones } from '../environment/outside-zones.ts'
import { createPageChannel } from '../environment/page-channel.ts'

/** How long another document has to say that it lives, in milliseconds. It is asked once, before the first refresh. */
const ANSWER = 250

/** Under a name that another copy of this package finds, too. */
const DOCUMENT = Symbol.for('authchart.document')

/** Identifies this document. Sessions of one page on one store own the record together. */
function thisDocument(): string {
  const world = globalThis as { [DOCUMENT]?: string }
  world[DOCUMENT] ??= Math.random().toString(36).slice(2)
  return world[DOCUMENT]
}

/**
 * Which document owns the record of a `sessionStorage`. A browser copies the storage into a tab that is duplicated, or opened
 * by a script, and then two tabs hold one refresh token. Only the owner may send it.
 */
export class TabOwner {
  readonly #area: () => Storage
  readonly #entry: string
  readonly #channel
  readonly #document = thisDocument()

  constructor(area: () => Storage, key: string) {
    this.#area = area
    this.#entry = `${key}.owner`
    this.#channel = createPageChannel(`authchart owner ${key}`)
  }

  /** The document that owns the record, if it is another one. */
  get other(): string | undefined {
    if (!this.#isNeeded) return undefined
    const owner = this.#area().getItem(this.#entry)
    return owner === null || owner === this.#document ? undefined : owner
  }

  claim(): void {
    if (this.#isNeeded) this.#area().setItem(this.#entry, this.#document)
  }

  /** Asks whether that document lives. The predecessor of a reloaded page does not answer. */
  lives(owner: string): Promise<boolean> {
    return new Promise((resolve) => {
      const end = (lives: boolean) => {
        clearTimeout(timer)
        stop()
        resolve(lives)
      }
      const timer = outsideZones(() => setTimeout(() => end(false), ANSWER))
      const stop = this.#channel.listen(
        (data) => data === `lives ${owner}` && end(true),
        () => {},
      )
      this.#channel.post(`ask ${owner}`)
    })
  }

  /** Answers other documents. A page that is left gives the record to the next page of its tab. */
  start(): () => void {
    if (!this.#isNeeded) return () => {}
    const answer = (data: unknown) => {
      if (data === `ask ${this.#document}`) this.#channel.post(`lives ${this.#document}`)
    }
    const leave = () => {
      if (this.#isNeeded && !this.other) this.#area().removeItem(this.#entry)
    }
    const stop = this.#channel.listen(answer, () => {})
    addEventListener('pagehide', leave)
    return () => {
      stop()
      removeEventListener('pagehide', leave)
    }
  }

  get #isNeeded(): boolean {
    try {
      return typeof document !== 'undefined' && this.#area() === sessionStorage
    } catch {
      return false
    }
  }
}
