import { createComponent, type JSX, Show } from 'solid-js'

/** Creates `<Show keyed>` without JSX. */
export function showWhile(when: () => unknown, children: () => JSX.Element, fallback?: () => JSX.Element) {
  return createComponent(Show, {
    keyed: true,
    get when() {
      return when()
    },
    get children() {
      return children()
    },
    get fallback() {
      return fallback?.()
    },
  })
}
