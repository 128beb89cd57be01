import { openDialog } from '../common/dialog.ts'
import { auth } from '../common/session.ts'
import { reasonWords, waitingWords } from '../common/words.ts'
import { create, follow, type Part, within } from './part.ts'
import { createSignInForm } from './sign-in-form.ts'

const MARKUP = `
  <dialog data-testid="expired-dialog" aria-labelledby="expired">
    <h2 id="expired">Your session has ended</h2>
    <p data-testid="expired-reason"></p>
    <p data-testid="held" role="status"></p>
    <button data-testid="leave" type="button" class="quiet">Sign out instead</button>
  </dialog>
`

/** A dialog over the page, which does not change. Held requests continue after the sign-in. */
export function createSignInAgain(): Part {
  const element = create(MARKUP) as HTMLDialogElement
  const form = createSignInForm()
  within(element, 'held').after(form.element)
  within(element, 'leave').onclick = () => void auth.signOut()
  let close = () => {}
  // A dialog can open only in the document, and it is added right after this.
  queueMicrotask(() => {
    if (element.isConnected) close = openDialog(element)
  })
  const ends = [
    form.end,
    follow(
      ({ reason }) => reason,
      (reason) => {
        const words = `${reasonWords(reason)} Sign in again to go on where you were.`
        within(element, 'expired-reason').textContent = words
      },
    ),
    follow(
      ({ held }) => held,
      (held) => {
        within(element, 'held').textContent = waitingWords(held)
      },
    ),
    () => close(),
  ]
  return {
    element,
    end() {
      for (const end of ends) end()
    },
  }
}
