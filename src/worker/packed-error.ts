import type { AuthErrorCode } from '../core/errors.ts'

export type Scalar = string | number | boolean | null | undefined

/** A thrown value, in the form in which it is sent to a page. */
export type PackedError =
  | {
      readonly kind: 'error'
      readonly name: string
      readonly message: string
      /** Set if it is one of the library's own errors. */
      readonly code?: AuthErrorCode
      readonly reason?: string | undefined
      /** Other known fields, such as a status or an OAuth error code. */
      readonly details?: Readonly<Record<string, Scalar>>
      readonly cause?: PackedError
    }
  | {
      readonly kind: 'response'
      readonly status: number
      readonly statusText: string
      readonly headers: readonly (readonly [string, string])[]
      readonly body: string
    }
  | { readonly kind: 'value'; readonly value: unknown }
