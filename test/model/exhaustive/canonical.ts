import { ATTEMPTS, REQUESTS_AT, TAB_BIT, TAB_BYTES, TAB_HEADER, TABS_AT } from './encoding.ts'
import { SETTLED } from './state.ts'

/**
 * Brings bytes into a canonical form: states that differ only in the order of a tab's refresh attempts, of the requests
 * or of the two tabs get the same bytes.
 */
export function canonicalize(bytes: Uint8Array) {
  for (let tab = 0; tab < 2; tab++) {
    const at = TABS_AT + tab * TAB_BYTES + TAB_HEADER
    sort(bytes, at, 3, ATTEMPTS)
  }
  let order = compare(bytes, TABS_AT, TABS_AT + TAB_BYTES, TAB_BYTES)
  sort(bytes, REQUESTS_AT, 1, 3)
  if (order === 0) {
    for (let index = 0; index < 3; index++) flipped[index] = flip(bytes[REQUESTS_AT + index]!)
    sort(flipped, 0, 1, 3)
    for (let index = 0; index < 3 && order === 0; index++)
      order = bytes[REQUESTS_AT + index]! - flipped[index]!
    if (order > 0) bytes.set(flipped, REQUESTS_AT)
  } else if (order > 0) {
    swap(bytes, TABS_AT, TABS_AT + TAB_BYTES, TAB_BYTES)
    for (let index = 0; index < 3; index++) {
      bytes[REQUESTS_AT + index] = flip(bytes[REQUESTS_AT + index]!)
    }
    sort(bytes, REQUESTS_AT, 1, 3)
  }
}

const flipped = new Uint8Array(3)
const flip = (request: number) => (request >> 3 === SETTLED ? request : request ^ TAB_BIT)

function compare(bytes: Uint8Array, one: number, other: number, length: number): number {
  for (let index = 0; index < length; index++) {
    const difference = bytes[one + index]! - bytes[other + index]!
    if (difference !== 0) return difference
  }
  return 0
}

function swap(bytes: Uint8Array, one: number, other: number, length: number) {
  for (let index = 0; index < length; index++) {
    const byte = bytes[one + index]!
    bytes[one + index] = bytes[other + index]!
    bytes[other + index] = byte
  }
}

/** Sorts `count` groups of `length` bytes. */
function sort(bytes: Uint8Array, at: number, length: number, count: number) {
  for (let done = 1; done < count; done++) {
    for (let index = done; index > 0; index--) {
      const here = at + index * length
      if (compare(bytes, here - length, here, length) <= 0) break
      swap(bytes, here - length, here, length)
    }
  }
}
