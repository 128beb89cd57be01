import { useLayoutEffect, useRef } from 'react'
import { openDialog } from '../common/dialog.ts'
import { reasonWords, waitingWords } from '../common/words.ts'
import { useAuth, useAuthState } from './auth.ts'
import { SignInForm } from './sign-in-form.tsx'

/** A dialog over the page, which does not change. Held requests continue after the sign-in. */
export function SignInAgain() {
  const auth = useAuth()
  const reason = useAuthState(({ reason }) => reason)
  const held = useAuthState(({ held }) => held)
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => (dialog.current ? openDialog(dialog.current) : undefined), [])
  return (
    <dialog data-testid="expired-dialog" aria-labelledby="expired" ref={dialog}>
      <h2 id="expired">Your session has ended</h2>
      <p data-testid="expired-reason">{reasonWords(reason)} Sign in again to go on where you were.</p>
      <p data-testid="held" role="status">
        {waitingWords(held)}
      </p>
      <SignInForm />
      <button data-testid="leave" type="button" className="quiet" onClick={() => auth.signOut()}>
        Sign out instead
      </button>
    </dialog>
  )
}
