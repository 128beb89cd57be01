/** What a scenario waits for, in the page. */

/** Resolves when the condition holds. A test that waits in vain fails by its own timeout. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => requestAnimationFrame(resolve))
}

/** Everything that a framework and its scheduler still have to do. */
export async function rest(): Promise<void> {
  for (let n = 0; n < 3; n++) await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
}
