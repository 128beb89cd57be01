import type { Tone } from '../chart/chart-layout.ts'
import { mapLayout } from '../chart/layouts.ts'

const TONES: ReadonlyMap<string, Tone> = /* @__PURE__ */ new Map(
  mapLayout.states.map(({ id, tone }) => [id, tone]),
)

/** What becomes of a request in these states: where the gate decides, as the gate says. */
export function toneOf(active: readonly string[]): Tone {
  const gate = active.find((path) => path.startsWith('refreshing.gate.'))
  return TONES.get(gate ?? active[0] ?? '') ?? 'plain'
}
