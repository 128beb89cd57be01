import type { AuthErrorCode } from '../core/errors.ts'

export type Scalar = string | number | boolean | null | undefined

/** Something thrown, on its way to a page. */
export type PackedError =
  | {
      readonly kind: 'error'
      readonly name: string
      readonly message: string
      /** Where it is one of the library's own. */
      readonly code?: AuthErrorCode
      readonly reason?: string | undefined
      /** What else it says of itself: a status, an OAuth error code. */
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
