/** An error in a listener is its author's to see, and nobody else's to suffer from. */
export function report(error: unknown): void {
  if (typeof reportError === 'function') reportError(error)
  else console.error(error)
}
