import { patientClock } from '../environment/clock.ts'
import { lockManager } from '../environment/lock-manager.ts'
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

/** The name of a lock that a hidden document holds. Unlike an answer, it is there while the page is frozen. */
const lockOf = (document: string) => `authchart owner ${document}`

/** Holds the lock of a document. Returns a function that releases it. */
function hold(document: string): () => void {
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  lockManager()
    ?.request(lockOf(document), { mode: 'shared' }, () => released)
    .catch(() => {})
  return release
}

async function isHeld(document: string): Promise<boolean> {
  const found = await lockManager()
    ?.query()
    .catch(() => undefined)
  return found?.held?.some(({ name }) => name === lockOf(document)) ?? false
}

/**
 * Which document owns the record of a `sessionStorage`. A browser copies the storage into a tab that is duplicated, or opened
 * by a script, and then two tabs hold one refresh token. Only the owner may send it.
 */
export class TabOwner {
  readonly #area: () => Storage
  readonly #entry: string
  /** Begins the names of the entries by which documents ask. A copy of the storage does not contain them. */
  readonly #question: string
  readonly #channel
  readonly #document = thisDocument()
  /** Releases the lock of this document, if it is held. */
  #release: (() => void) | undefined

  constructor(area: () => Storage, key: string) {
    this.#area = area
    this.#entry = `${key}.owner`
    this.#question = `${key}.asked.`
    this.#channel = createPageChannel(`authchart owner ${key}`)
  }

  /** The document that owns the record, if it is another one. */
  get other(): string | undefined {
    if (!this.isNeeded) return undefined
    const owner = this.#area().getItem(this.#entry)
    return owner === null || owner === this.#document ? undefined : owner
  }

  claim(): void {
    if (this.isNeeded) this.#area().setItem(this.#entry, this.#document)
  }

  #letGo(): void {
    this.#release?.()
    this.#release = undefined
  }

  /**
   * Asks whether that document has a storage of its own, of which this one is a copy. The predecessor of a reloaded page does not
   * answer, and a frame of one tab shares the storage with its page.
   */
  isCopyOf(owner: string): Promise<boolean> {
    const asked = `${owner} ${this.#document}`
    const question = this.#question + this.#document
    const area = this.#area()
    return new Promise((resolve) => {
      const end = (isCopy: boolean) => {
        patientClock.clearTimeout(timer)
        stop()
        area.removeItem(question)
        resolve(isCopy)
      }
      const timer = patientClock.setTimeout(() => void isHeld(owner).then(end), ANSWER)
      const stop = this.#channel.listen(
        (data) => {
          if (data === `lives ${asked}`) end(true)
          else if (data === `shares ${asked}`) end(false)
        },
        () => {},
      )
      try {
        area.setItem(question, owner)
      } catch {
        // Without room for it, a frame counts as a copy.
      }
      this.#channel.post(`ask ${asked}`)
    })
  }

  /** Answers other documents. A page that is left gives the record to the next page of its tab. */
  start(): () => void {
    // Also without a `sessionStorage`: an app may choose the storage at each sign-in.
    if (typeof document === 'undefined') return () => {}
    const answer = (data: unknown) => {
      const [word, owner, asker] = String(data).split(' ')
      if (word !== 'ask' || owner !== this.#document) return
      const isShared = this.#area().getItem(this.#question + asker) !== null
      this.#channel.post(`${isShared ? 'shares' : 'lives'} ${owner} ${asker}`)
    }
    let isLeft = false
    // Not while the page is shown: browsers keep no page with a lock in the back/forward cache.
    const follow = () => {
      if (isLeft || document.visibilityState !== 'hidden' || !this.isNeeded) this.#letGo()
      else this.#release ??= hold(this.#document)
    }
    const leave = () => {
      isLeft = true
      if (this.isNeeded && !this.other) this.#area().removeItem(this.#entry)
      follow()
    }
    const stop = this.#channel.listen(answer, () => {
      isLeft = false
    })
    addEventListener('pagehide', leave)
    addEventListener('visibilitychange', follow)
    follow()
    return () => {
      stop()
      this.#letGo()
      removeEventListener('pagehide', leave)
      removeEventListener('visibilitychange', follow)
    }
  }

  /** Whether the storage is the `sessionStorage` of a page. */
  get isNeeded(): boolean {
    try {
      return typeof document !== 'undefined' && this.#area() === sessionStorage
    } catch {
      return false
    }
  }
}
