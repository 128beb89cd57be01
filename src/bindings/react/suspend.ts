import * as React from 'react'
import type { AnyAuth } from '../snapshot.ts'

interface Wait {
  readonly promise: Promise<void>
  outcome?: { readonly error?: unknown }
}

const waits = new WeakMap<AnyAuth, Wait>()
/** In React 19 only, and bundlers complain of React 18 where they can read the name. */
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

/** Suspends the component that is being rendered until the auth is ready. */
export function suspendUntilReady(auth: AnyAuth): void {
  const known = waits.get(auth)
  if (!known && auth.state !== 'restoring') return
  const wait = known ?? begin(auth)
  waits.set(auth, wait)
  // Also when the wait is over: React wants what suspended a component to be asked for again.
  if (use) use(wait.promise)
  else if (!wait.outcome) throw wait.promise
  else if ('error' in wait.outcome) throw wait.outcome.error
}
