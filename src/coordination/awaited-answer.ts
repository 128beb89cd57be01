/**
 * How long a process has awaited the answer to a refresh token that another one presented. A process that is stopped looks at
 * nothing, so a long time between two looks counts as a short one.
 */
export class AwaitedAnswer<Mark> {
  readonly #longest: number
  #mark: Mark | undefined
  #lookedAt = 0
  #time = 0

  /** @param longest how much the time between two looks may count, in milliseconds */
  constructor(longest: number) {
    this.#longest = longest
  }

  /** The mark of the presented token, if its answer was awaited for that time, in milliseconds. */
  longerThan(time: number): Mark | undefined {
    return this.#time + this.#since(performance.now()) >= time ? this.#mark : undefined
  }

  /**
   * To be called with what each look found.
   *
   * @param mark what identifies the presented token; `undefined` without one
   * @param took how long the look took while this process was awake, in milliseconds
   */
  look(mark: Mark | undefined, took = 0): void {
    const now = performance.now()
    if (mark === this.#mark) this.#time += this.#since(now - took) + took
    else {
      this.#mark = mark
      this.#time = 0
    }
    this.#lookedAt = now
  }

  /** The time since the last look, as far as it counts. */
  #since(now: number): number {
    return Math.min(now - this.#lookedAt, this.#longest)
  }
}
