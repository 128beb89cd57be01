/**
 * Shows a dialog over the page that nothing but the app closes, ready for what is not filled in yet.
 *
 * @returns the way to close it: focus goes back to where it was, even where the dialog is out of the page by then
 */
export function openDialog(dialog: HTMLDialogElement): () => void {
  const before = document.activeElement
  const keepOpen = (event: Event) => {
    if (!(event instanceof KeyboardEvent) || event.key === 'Escape') event.preventDefault()
  }
  // A browser asks with `cancel` once, and closes it at the next Escape without asking.
  dialog.addEventListener('keydown', keepOpen)
  dialog.addEventListener('cancel', keepOpen)
  dialog.showModal()
  const inputs = [...dialog.querySelectorAll('input')]
  inputs.find(({ value }) => value === '')?.focus()
  return () => {
    dialog.removeEventListener('keydown', keepOpen)
    dialog.removeEventListener('cancel', keepOpen)
    dialog.close()
    if (before instanceof HTMLElement) before.focus()
  }
}
