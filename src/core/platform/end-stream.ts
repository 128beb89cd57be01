/**
 * Ends a body that is not sent or not read, which frees its source or its connection. It may be a web stream or its reader, a Node
 * stream (in node-fetch, that of a response, too) or an async iterator.
 */
export function endStream(body: unknown, reason?: unknown): void {
  const { cancel, destroy, return: end, on } = Object(body)
  // An abort may still emit an error, which ends the process if nothing listens.
  on?.call(body, 'error', ignore)
  Promise.resolve((cancel ?? destroy ?? end)?.call(body, cancel && reason)).catch(ignore)
}

const ignore = () => {}
