import type { AuthErrorCode } from '../core/errors.ts'

/** A thrown value, in the form in which it is sent to a page. */
export type PackedError =
  /** One of the library's own errors. The page composes its message again. */
  | {
      readonly kind: 'auth'
      readonly code: AuthErrorCode
      readonly reason?: string
      /** What the message is about, beside the reason. */
      readonly detail?: string | number
      readonly cause?: PackedError
    }
  | {
      readonly kind: 'error'
      readonly name: string
      /** Set only for a known text, or if the app exposed the error. */
      readonly message?: string
      readonly fields?: Readonly<Record<string, unknown>>
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
