/**
 * Shows a dialog over the page that only the app can close. Focuses the first empty input.
 *
 * @returns a function that closes the dialog and restores the focus, even if the dialog has left the document by then
 */
export function openDialog(dialog: HTMLDialogElement): () => void {
  const before = document.activeElement
  const keepOpen = (event: Event) => {
    if (!(event instanceof KeyboardEvent) || event.key === 'Escape') event.preventDefault()
  }
  // The browser emits `cancel` only once. At the next Escape it closes the dialog without an event.
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
