import type { PackedResponse } from './protocol.ts'

/** Returns the error that ended a body early, if there is one. */
export type BodyFailure = () => { readonly error: unknown } | undefined

/** A response that the worker received, as a `Response` of the page. */
export class WorkerResponse extends Response {
  readonly #packed: PackedResponse
  readonly #failure: BodyFailure

  constructor(body: ReadableStream | null, packed: PackedResponse, failure: BodyFailure) {
    const { status, statusText, headers } = packed
    super(body, {
      // The constructor accepts neither an opaque response nor a status outside of 200 to 599.
      status: status >= 200 && status <= 599 ? status : 200,
      statusText,
      headers: headers.map(([name, value]): [string, string] => [name, value]),
    })
    this.#packed = packed
    this.#failure = failure
  }

  override get status() {
    // Some implementations read it during construction.
    return #packed in this ? this.#packed.status : super.status
  }
  override get ok() {
    return this.status >= 200 && this.status <= 299
  }
  override get url() {
    return this.#packed.url
  }
  override get redirected() {
    return this.#packed.redirected
  }
  override get type() {
    return this.#packed.kind
  }

  override clone() {
    return new WorkerResponse(super.clone().body, this.#packed, this.#failure)
  }

  override arrayBuffer() {
    return this.#read(super.arrayBuffer())
  }
  override blob() {
    return this.#read(super.blob())
  }
  override bytes() {
    return this.#read(super.bytes())
  }
  override formData() {
    return this.#read(super.formData())
  }
  override json() {
    return this.#read(super.json())
  }
  override text() {
    return this.#read(super.text())
  }

  /** Restores the original error: some browsers reject with a generic one, whatever the stream failed with. */
  async #read<T>(whole: Promise<T>): Promise<T> {
    try {
      return await whole
    } catch (error) {
      const failure = this.#failure()
      throw failure ? failure.error : error
    }
  }
}
