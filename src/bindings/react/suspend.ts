import * as React from 'react'
import type { AnyAuth } from '../snapshot.ts'

interface Wait {
  readonly promise: Promise<void>
  outcome?: { readonly error?: unknown }
}

const waits = new WeakMap<AnyAuth, Wait>()
/** Exists in React 19 only. The spread hides the name from bundlers, which would report it as missing in React 18. */
const { use } = { ...React } as { readonly use?: (promise: Promise<void>) => void }

function begin(auth: AnyAuth): Wait {
  const wait: Wait = { promise: auth.ready() }
  wait.promise.then(
    () => {
      wait.outcome = {}
    },
    (error: unknown) => {
      wait.outcome = { error }
    },
  )
  return wait
}

/** How long a failed wait is remembered, in milliseconds: longer than React pauses a render, and shorter than a click takes. */
const MEMORY = 50

/**
 * Lets the next attempt wait anew, such as that of an error boundary that is reset. Not at once, because React renders the
 * component again before it shows the error, and other work may come first.
 */
function forgetSoon(auth: AnyAuth, failed: Wait): void {
  setTimeout(() => {
    if (waits.get(auth) === failed) waits.delete(auth)
  }, MEMORY)
}

/** Suspends the component being rendered until the auth is ready. */
export function suspendUntilReady(auth: AnyAuth): void {
  const known = waits.get(auth)
  if (!known && auth.state !== 'restoring') return
  const wait = known ?? begin(auth)
  waits.set(auth, wait)
  if (wait.outcome && 'error' in wait.outcome) forgetSoon(auth, wait)
  // Call it even if the promise has settled: React expects the same call when it renders the component again.
  if (use) use(wait.promise)
  else if (!wait.outcome) throw wait.promise
  else if ('error' in wait.outcome) throw wait.outcome.error
}
