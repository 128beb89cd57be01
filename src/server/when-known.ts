/** Subscribes when the key is known, and unsubscribes at any time. */
export function whenKnown(key: string | Promise<string>, subscribe: (key: string) => () => void): () => void {
  if (typeof key === 'string') return subscribe(key)
  let stop: (() => void) | undefined = () => {}
  const begin = (known: string) => {
    if (stop) stop = subscribe(known)
  }
  key.then(begin, () => {})
  return () => {
    stop?.()
    stop = undefined
  }
}
