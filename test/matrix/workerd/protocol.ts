/** What the Node process and the worker send each other, as JSON. */

/** A request that arrived at a port that the worker asked for. */
export interface Arrived {
  readonly id: number
  readonly port: number
  readonly method: string
  readonly url: string
  readonly rawHeaders: readonly string[]
  /** In base64. */
  readonly body: string
}

/** The answer of the worker; `undefined` if it drops the connection. */
export interface Answered {
  readonly status: number
  readonly statusText: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** In base64. */
  readonly body: string
}
