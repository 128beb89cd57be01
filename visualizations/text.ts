/** Measures and wraps text. The fonts of the reader are unknown, so the widths are those of wide fonts. */

const PROSE_SIZE = 12
export const CODE_SIZE = 11
export const NAME_SIZE = 13
export const LINE_HEIGHT = 16
export const NAME_HEIGHT = 18

/** The width of text in a monospaced font, in pixels. */
export function codeWidth(text: string, size: number): number {
  return text.length * size * 0.62
}

export function proseWidth(text: string): number {
  return (
    [...text].reduce((width, letter) => width + (/[iljft.,;:'`| ]/.test(letter) ? 0.36 : 0.6), 0) * PROSE_SIZE
  )
}

/** Breaks prose into lines of at most `width` pixels. */
export function wrapProse(text: string, width: number): string[] {
  return fill(text.split(' '), (line) => proseWidth(line) <= width)
}

/** Breaks `event, event [guard]` into lines of at most `length` letters, after commas and before guards. */
export function wrapCode(line: string, length: number): string[] {
  return fill(line.split(/(?<=,) | (?=\[)/), (part) => part.length <= length)
}

function fill(words: readonly string[], fits: (line: string) => boolean): string[] {
  const lines: string[] = []
  for (const word of words) {
    const last = lines.at(-1)
    if (last !== undefined && fits(`${last} ${word}`)) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** Rounds to a tenth, so that generated files do not depend on the last bits of floats. */
export function round(length: number): number {
  return Math.round(length * 10) / 10
}
