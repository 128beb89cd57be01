import type { keepConnection } from './kept-connection.ts'
import type { createPendingCalls } from './pending-calls.ts'

interface Page {
  readonly kept: Pick<ReturnType<typeof keepConnection>, 'current' | 'next'>
  readonly calls: Pick<ReturnType<typeof createPendingCalls>, 'call'>
  readonly nextId: () => number
  readonly isDisposed: () => boolean
}

/**
 * Signs out at the worker, and at the next one if that ends first: it would restore the session from its store. Waits for two of
 * them at most. Never rejects.
 */
export async function signOutOf(page: Page, tries = 2): Promise<void> {
  const { kept, calls, nextId, isDisposed } = page
  if (isDisposed()) return
  // A worker that is late finds the message when it starts.
  if (kept.current.failure) kept.current.post({ type: 'call', id: nextId(), method: 'signOut' })
  else await calls.call('signOut').catch(() => {})
  const again = kept.next?.then(() => signOutOf(page, tries - 1))
  if (tries > 1) await again
}
