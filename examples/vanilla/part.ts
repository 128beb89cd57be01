/** The few helpers that this example needs instead of a framework. */
import { authStore } from 'authchart/events'
import { auth } from '../common/session.ts'

const { read, subscribe } = authStore(auth)
type Snapshot = ReturnType<typeof read>

/** An element of the page, and a function that ends its subscriptions. */
export interface Part {
  readonly element: HTMLElement
  readonly end: () => void
}

/** Creates an element from trusted markup. Never pass user input. */
export function create(markup: string): HTMLElement {
  const template = document.createElement('template')
  template.innerHTML = markup.trim()
  return template.content.firstElementChild as HTMLElement
}

/** Finds a descendant by its test id. */
export const within = (element: HTMLElement, id: string) =>
  element.querySelector(`[data-testid="${id}"]`) as HTMLElement

/** Shows a selection of the session, now and whenever it changes. Returns a function that stops it. */
export function follow<T>(select: (snapshot: Snapshot) => T, show: (value: T) => void): () => void {
  let last = select(read())
  show(last)
  return subscribe(() => {
    const next = select(read())
    if (Object.is(last, next)) return
    last = next
    show(next)
  })
}

/** Shows a part in `place` while `holds` is true for the session. Returns a function that ends both. */
export function during(
  holds: (snapshot: Snapshot) => boolean,
  place: HTMLElement,
  make: () => Part,
): () => void {
  let part: Part | undefined
  const leave = () => {
    part?.end()
    part?.element.remove()
    part = undefined
  }
  const stop = follow(holds, (isThere) => {
    if (!isThere) return leave()
    part = make()
    place.append(part.element)
  })
  return () => {
    stop()
    leave()
  }
}
