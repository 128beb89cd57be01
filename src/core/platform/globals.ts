/**
 * The few globals that every runtime has and that the ES library types do not know. The core is compiled without DOM and
 * Node types, so everything it uses of a runtime is listed here.
 */
import type { Signal } from '../ports.ts'

declare const AbortController: new () => { readonly signal: Signal; abort(reason?: unknown): void }
declare const atob: (base64: string) => string
declare const TextDecoder: new () => { decode(bytes?: Uint8Array, options?: { stream: boolean }): string }

export const createAbortController = () => new AbortController()
/** Used only for streams, which React Native does not have either. */
export const createTextDecoder = () => new TextDecoder()
export const decodeBase64 = (base64: string) => atob(base64)
