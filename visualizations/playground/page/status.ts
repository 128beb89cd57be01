/** The status line. */
const line = document.querySelector('#status')

/** Tells that something is under way, and how it went, whatever else was told meanwhile. Resolves when it is over. */
export async function tell(what: string, outcome: Promise<string>): Promise<void> {
  if (line) line.textContent = `${what} …`
  const words = await outcome
  if (line) line.textContent = words
}
