import type { PackedAnswer } from './protocol.ts'

/** What broke a body off, once something has. */
export type Failure = () => { readonly error: unknown } | undefined

/** An answer that the worker got, as one of the page's own. */
export class WorkerResponse extends Response {
  readonly #answer: PackedAnswer
  readonly #failure: Failure

  constructor(body: ReadableStream | null, answer: PackedAnswer, failure: Failure) {
    const { status, statusText, headers } = answer
    super(body, {
      // A constructor takes no opaque answer, and no status that only a server may give.
      status: status >= 200 && status <= 599 ? status : 200,
      statusText,
      headers: headers.map(([name, value]): [string, string] => [name, value]),
    })
    this.#answer = answer
    this.#failure = failure
  }

  override get status() {
    // Some constructors look at it.
    return #answer in this ? this.#answer.status : super.status
  }
  override get ok() {
    return this.status >= 200 && this.status <= 299
  }
  override get url() {
    return this.#answer.url
  }
  override get redirected() {
    return this.#answer.redirected
  }
  override get type() {
    return this.#answer.kind
  }

  override clone() {
    return new WorkerResponse(super.clone().body, this.#answer, this.#failure)
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

  /** Some browsers have one error for all streams that fail, whatever they failed with. */
  async #read<T>(whole: Promise<T>): Promise<T> {
    try {
      return await whole
    } catch (error) {
      const failure = this.#failure()
      throw failure ? failure.error : error
    }
  }
}
