/** Waits for scenarios in the page. */

/** Resolves when the condition holds. It has no timeout: the one of the test applies. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => requestAnimationFrame(resolve))
}

/** Waits until the framework and its scheduler are idle. */
export async function rest(): Promise<void> {
  for (let n = 0; n < 3; n++) await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))
}
