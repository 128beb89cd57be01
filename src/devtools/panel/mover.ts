import { button, h } from './dom.ts'
import {
  EDGES,
  type Edge,
  loosened,
  moved,
  type Place,
  resized,
  storedPlace,
  storePlace,
} from './placement.ts'

/** How far one key moves or resizes the dock, in pixels. */
const STEP = 32

const ARROWS: Readonly<Record<string, readonly [dx: number, dy: number]>> = {
  ArrowLeft: [-STEP, 0],
  ArrowRight: [STEP, 0],
  ArrowUp: [0, -STEP],
  ArrowDown: [0, STEP],
}

/** Lets the user move a dock by its title bar, and resize it by its edges. The keyboard does both, on a button. */
export function createMover(dock: HTMLElement, titlebar: HTMLElement): { readonly grip: HTMLButtonElement } {
  let place: Place | undefined
  const grip = button(
    '⠿',
    {
      class: 'small grip',
      'aria-label': 'Move the panel: arrow keys move it, with Shift they resize it, Home docks it',
      title: 'Drag the title bar, or use the arrow keys. Shift and an arrow key resize. Home docks.',
    },
    () => {},
  )

  function put(next: Place | undefined) {
    place = next
    dock.classList.toggle('free', next !== undefined)
    for (const name of ['x', 'y', 'width', 'height'] as const) {
      if (next) dock.style.setProperty(`--${name}`, `${Math.round(next[name])}px`)
      else dock.style.removeProperty(`--${name}`)
    }
  }

  function keep(next: Place | undefined) {
    put(next)
    storePlace(next)
  }

  /** Where the dock is on the screen, which may be smaller than what the user chose. */
  function shown(): Place {
    const { x, y, width, height } = dock.getBoundingClientRect()
    return { x, y, width, height }
  }

  /** Follows the pointer until it is released. */
  function drag(handle: HTMLElement, change: (from: Place, dx: number, dy: number, at: number) => Place) {
    handle.addEventListener('pointerdown', (start) => {
      const isOnButton = start.target instanceof Element && start.target.closest('button') !== null
      if (start.button !== 0 || (isOnButton && start.target !== grip)) return
      const from = shown()
      const follow = ({ clientX, clientY }: PointerEvent) =>
        put(change(from, clientX - start.clientX, clientY - start.clientY, start.clientX))
      const end = () => {
        handle.removeEventListener('pointermove', follow)
        // What the window has cut off is not remembered.
        if (place) keep(shown())
      }
      handle.setPointerCapture(start.pointerId)
      handle.addEventListener('pointermove', follow)
      handle.addEventListener('lostpointercapture', end, { once: true })
    })
  }

  const room = () => dock.ownerDocument.documentElement.clientWidth
  drag(titlebar, (from, dx, dy, at) => moved(loosened(from, room(), at), dx, dy))
  titlebar.addEventListener('dblclick', () => keep(undefined))
  for (const edge of EDGES) {
    const handle = h('div', { class: `side ${edge}`, 'aria-hidden': 'true' })
    drag(handle, (from, dx, dy) => resized(from, edge, dx, dy))
    dock.append(handle)
  }

  grip.addEventListener('keydown', (event) => {
    const [dx, dy] = ARROWS[event.key] ?? []
    if (dx !== undefined && dy !== undefined) {
      const from = shown()
      put(
        event.shiftKey
          ? resized(from, edgeOf(from, dock.ownerDocument), dx, dy)
          : moved(loosened(from, room(), from.x), dx, dy),
      )
      keep(shown())
    } else if (event.key === 'Home') keep(undefined)
    else return
    event.preventDefault()
    event.stopPropagation()
  })

  put(storedPlace())
  return { grip }
}

/** Arrow keys move the lower right corner; that of a dock at the bottom of the window cannot move, so its upper one does. */
const edgeOf = ({ y, height }: Place, { documentElement }: Document): Edge =>
  y + height >= documentElement.clientHeight ? 'ne' : 'se'
