/** Names of errors of the platform and of JavaScript. Any other name may quote what the store holds. */
const NAME =
  /^(?:Abort|Aggregate|Constraint|Data|DataClone|Encoding|Eval|InvalidAccess|InvalidState|Network|NoModificationAllowed|NotAllowed|NotFound|NotReadable|NotSupported|Operation|QuotaExceeded|Range|ReadOnly|Reference|Security|Syntax|Timeout|TransactionInactive|Type|URI|Unknown|Version)?Error$/

/** What the reason of a `StorageError` looks like besides: a word of a store, or a code of a file system. */
const REASON = /^(?:[a-z_]{1,40}|E[A-Z_]{3,30})$/

/**
 * Names the kind of a store's failure, and passes on no foreign text.
 *
 * @returns the `reason` of a `StorageError`, the `name` of another error, or `'failed'` if that is not a known word
 */
export function kindOfFailure(error: unknown): string {
  try {
    const { name, reason } = Object(error) as { readonly name?: unknown; readonly reason?: unknown }
    const isOwn = name === 'StorageError'
    const word = isOwn ? reason : name
    if (typeof word === 'string' && (NAME.test(word) || (isOwn && REASON.test(word)))) return word
  } catch {
    // A getter of a foreign error may throw.
  }
  return 'failed'
}
