/** Runs operations one after another, in the order in which they were asked for. */
export class Mutex {
  #last: Promise<unknown> = Promise.resolve()

  run<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.#last.then(operation)
    this.#last = result.catch(() => {})
    return result
  }
}
