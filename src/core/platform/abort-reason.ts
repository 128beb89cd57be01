import type { AbortSignalLike } from '../ports.ts'

/** Why a signal was aborted. The signals of React Native do not know it: then it is an `AbortError`. */
export function abortReason({ reason }: AbortSignalLike): unknown {
  return reason === undefined
    ? Object.assign(new Error('This operation was aborted'), { name: 'AbortError' })
    : reason
}
