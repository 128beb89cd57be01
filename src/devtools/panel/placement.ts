/** Where the dock is: at the bottom of the window, or where the user has moved it. */

/** A place in the window, in pixels. The style sheet keeps it inside the window, whatever its size. */
export interface Place {
  readonly x: number
  readonly y: number
  readonly width: number
  readonly height: number
}

/** Which sides a change of the size moves: `n` is the upper one. */
export type Edge = 'n' | 's' | 'w' | 'e' | 'nw' | 'ne' | 'sw' | 'se'
export const EDGES: readonly Edge[] = ['n', 's', 'w', 'e', 'nw', 'ne', 'sw', 'se']

const SMALLEST = { width: 280, height: 180 }
/** The size in which a dock as wide as the window begins to move. */
const FREE_WIDTH = 900
/** A window that is narrower moves the dock up and down only. */
const NARROW = 640

export const moved = (place: Place, dx: number, dy: number): Place => ({
  ...place,
  x: place.x + dx,
  y: place.y + dy,
})

/** Moves some sides. The opposite ones stay, also if the smallest size is reached. */
export function resized({ x, y, width, height }: Place, edge: Edge, dx: number, dy: number): Place {
  const toWest = edge.includes('w')
  const toNorth = edge.includes('n')
  const wide = Math.max(SMALLEST.width, width + (toWest ? -dx : edge.includes('e') ? dx : 0))
  const high = Math.max(SMALLEST.height, height + (toNorth ? -dy : edge.includes('s') ? dy : 0))
  return {
    x: toWest ? x + width - wide : x,
    y: toNorth ? y + height - high : y,
    width: wide,
    height: high,
  }
}

/**
 * Makes room to move to the side, if the dock is as wide as the window.
 *
 * @param room the width of the window
 * @param at the horizontal position of the pointer, which stays on the title bar
 */
export function loosened(place: Place, room: number, at: number): Place {
  if (room < NARROW || place.width < room) return place
  const width = Math.min(FREE_WIDTH, Math.round(room * 0.7))
  return { ...place, width, x: Math.round(at - (width * (at - place.x)) / place.width) }
}

const KEY = 'authchart.devtools.place'
const NUMBERS = ['x', 'y', 'width', 'height'] as const

/** The place of the last visit. `undefined`: at the bottom of the window, or the page may not store anything. */
export function storedPlace(): Place | undefined {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? 'null')
    if (typeof stored !== 'object' || stored === null) return undefined
    const place = stored as Place
    return NUMBERS.every((name) => Number.isFinite(place[name])) ? place : undefined
  } catch {
    return undefined
  }
}

export function storePlace(place: Place | undefined): void {
  try {
    if (place) localStorage.setItem(KEY, JSON.stringify(place))
    else localStorage.removeItem(KEY)
  } catch {
    // The page may not store anything: the place lasts as long as the page.
  }
}
