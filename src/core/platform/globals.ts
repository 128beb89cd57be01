/**
 * The few globals that every runtime has and that the ES library types do not know. The core is compiled without DOM and
 * Node types, so everything it uses of a runtime is listed here.
 */
import type { Signal } from '../ports.ts'

declare const AbortController: new () => { readonly signal: Signal; abort(reason?: unknown): void }
declare const atob: (base64: string) => string

export const createAbortController = () => new AbortController()
export const decodeBase64 = (base64: string) => atob(base64)
