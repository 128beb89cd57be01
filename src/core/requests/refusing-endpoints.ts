/**
 * Endpoints that answered 401 to a token fresh from a refresh: another refresh would not help them. They are remembered
 * for a while, or until the next token set.
 */
export class RefusingEndpoints {
  readonly #duration: number
  #until: Map<string, number> | undefined
  #generation = -1

  /** @param duration milliseconds */
  constructor(duration: number) {
    this.#duration = duration
  }

  add(endpoint: string, generation: number, now: number): void {
    if (this.#generation !== generation || !this.#until) this.#until = new Map()
    this.#generation = generation
    this.#until.set(endpoint, now + this.#duration)
  }

  /** The endpoint accepted the token. */
  delete(endpoint: string): void {
    this.#until?.delete(endpoint)
  }

  has(endpoint: string, generation: number, now: number): boolean {
    return this.#generation === generation && now < (this.#until?.get(endpoint) ?? Number.NEGATIVE_INFINITY)
  }

  /** Whether any endpoint is remembered for this generation. */
  isEmpty(generation: number): boolean {
    return this.#generation !== generation || !this.#until?.size
  }
}
