/** As much of a framework as this example needs. */
import { authStore } from 'authchart/events'
import { auth } from '../common/session.ts'

const { read, subscribe } = authStore(auth)
type Snapshot = ReturnType<typeof read>

/** Something on the page, and the way to end it. */
export interface Part {
  readonly element: HTMLElement
  readonly end: () => void
}

/** An element from its markup, which holds no text of anybody else's. */
export function create(markup: string): HTMLElement {
  const template = document.createElement('template')
  template.innerHTML = markup.trim()
  return template.content.firstElementChild as HTMLElement
}

/** An element within, by its test id. */
export const within = (element: HTMLElement, id: string) =>
  element.querySelector(`[data-testid="${id}"]`) as HTMLElement

/** Shows what is selected of the session, now and whenever it changes. Returns the way to stop. */
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

/** Keeps a part in a place while the session is such. Returns the way to end both. */
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
