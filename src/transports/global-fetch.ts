/**
 * Creates a `fetch` that sends with the global one, as it is at the time of each request. If that one leads back here, because
 * an app made this transport the global `fetch`, it sends with the one that was there before.
 */
export function globalFetch(): typeof fetch {
  const before = globalThis.fetch
  let isSending = false
  let circular: typeof fetch | undefined
  return (input, init) => {
    const { fetch } = globalThis
    if (isSending) circular = fetch
    if (fetch === circular) return before(input, init)
    isSending = true
    try {
      return fetch(input, init)
    } finally {
      isSending = false
    }
  }
}
