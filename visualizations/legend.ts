import type { ChartLayout, LaidState, Tone } from '../src/devtools/chart/chart-layout.ts'
import { proseWidth, round } from './text.ts'

const MEANINGS: Readonly<Record<ChartLayout['legend'][number]['tone'], string>> = {
  pass: 'requests are sent with the token',
  hold: 'requests wait',
  anonymous: 'requests are sent without a token',
  refuse: 'requests are rejected',
  gated: 'the gate decides on requests',
  plain: '',
  composite: 'has states in it',
}

/** Lays out the meanings of the colours that a drawing uses, in lines below it. */
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
