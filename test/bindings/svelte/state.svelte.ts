/** A state that changes independently of the session. */
export function fieldOf(name: 'subject' | 'epoch') {
  const field = $state({ name })
  return field
}
