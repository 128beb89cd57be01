/** Texts of the status line. */
import { AuthError } from 'authchart'

/** Explains why an action failed. */
export function whyNot(error: unknown): string {
  if (error instanceof AuthError) return error.message
  if (error instanceof Response) return `The server answered ${error.status}.`
  return 'The server cannot be reached.'
}

/** Names the kind of an error, for counting. */
const kindOf = (error: unknown) =>
  error instanceof AuthError ? error.code.replaceAll('_', ' ') : 'no network'

/** Summarizes outcomes: `100 of 100 answered.`, `97 of 100 answered. 3 failed: session expired.` */
export function outcomeWords(outcomes: readonly PromiseSettledResult<number>[]): string {
  const counts = new Map<string, number>()
  let answered = 0
  for (const outcome of outcomes) {
    const isAnswered = outcome.status === 'fulfilled' && outcome.value < 400
    const kind = outcome.status === 'fulfilled' ? `status ${outcome.value}` : kindOf(outcome.reason)
    if (isAnswered) answered += 1
    else counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  const failures = [...counts].map(([kind, count]) => `${count} failed: ${kind}.`)
  return [`${answered} of ${outcomes.length} answered.`, ...failures].join(' ')
}
