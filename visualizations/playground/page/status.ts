/** The status line. */
const line = document.querySelector('#status')

/** Shows that an action is running, and then its outcome. Resolves when the outcome is shown. */
export async function report(what: string, outcome: Promise<string>): Promise<void> {
  if (line) line.textContent = `${what} …`
  const words = await outcome
  if (line) line.textContent = words
}
