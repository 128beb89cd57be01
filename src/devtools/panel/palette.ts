import type { Theme } from '../chart/chart-style.ts'
import type { Stage } from '../recording/lane.ts'

/** The colours of a request's stages. */
export type Palette = Readonly<Record<Stage, string>>

export const PALETTES: Readonly<Record<Theme, Palette>> = {
  light: { sent: '#1a7f37', held: '#bf8700', replayed: '#8250df', done: '#116329', rejected: '#cf222e' },
  dark: { sent: '#3fb950', held: '#d29922', replayed: '#a371f7', done: '#7ee787', rejected: '#f85149' },
}
