/** A state that changes beside the session. */
export function fieldOf(name: 'subject' | 'epoch') {
  const field = $state({ name })
  return field
}
