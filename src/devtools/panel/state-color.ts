import type { Tone } from '../chart/chart-layout.ts'
import { mapLayout } from '../chart/layouts.ts'

const TONES: ReadonlyMap<string, Tone> = /* @__PURE__ */ new Map(
  mapLayout.states.map(({ id, tone }) => [id, tone]),
)

/** Returns what happens to requests in the active states. One of several regions decides; the others are `gated`. */
export function stateTone(active: readonly string[]): Tone {
  const tones = active.map((path) => TONES.get(path) ?? 'plain')
  return tones.find((tone) => tone !== 'gated' && tone !== 'plain') ?? tones[0] ?? 'plain'
}
