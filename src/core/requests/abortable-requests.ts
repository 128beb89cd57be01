import type { Abortable } from './transport-request.ts'

/** The requests in flight that may be aborted and sent again. */
export class AbortableRequests {
  /** Made when first needed. */
  #requests: Set<Abortable> | undefined

  add(request: Abortable): void {
    this.#requests ??= new Set()
    this.#requests.add(request)
  }

  delete(request: Abortable): void {
    this.#requests?.delete(request)
  }

  abortAll(): void {
    const requests = this.#requests
    this.#requests = undefined
    for (const request of requests ?? []) request.abort()
  }
}
