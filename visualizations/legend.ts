import type { ChartLayout, LaidState, Tone } from '../src/devtools/chart/chart-layout.ts'
import { proseWidth, round } from './text.ts'

const MEANINGS: Readonly<Record<ChartLayout['legend'][number]['tone'], string>> = {
  sent: 'requests go with the token',
  held: 'requests wait',
  unsigned: 'requests go without a token',
  rejected: 'requests are turned away',
  gated: 'the gate decides on requests',
  plain: '',
  composite: 'has states in it',
}

/** The meaning of the colours that are there, in lines below the drawing. */
export function legendOf(states: readonly LaidState[], width: number, top: number): ChartLayout['legend'] {
  const used = new Set(states.flatMap(({ tone, kind }) => [tone, kind]))
  let [x, y] = [16, top + 6]
  return Object.entries(MEANINGS)
    .filter(([tone, text]) => text !== '' && used.has(tone as Tone))
    .map(([tone, text]) => {
      const room = proseWidth(text) + 40
      if (x > 16 && x + room > width) [x, y] = [16, y + 20]
      const place = { tone: tone as Tone, text, x: round(x), y }
      x += room
      return place
    })
}
