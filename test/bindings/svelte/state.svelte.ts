/** A state that changes independently of the session. */
export function stateOf<T extends string>(name: T) {
  const state = $state({ name })
  return state
}
