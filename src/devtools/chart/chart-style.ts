import type { Tone } from './chart-layout.ts'

export type Theme = 'light' | 'dark'

interface Palette {
  readonly canvas: string
  readonly text: string
  readonly muted: string
  readonly line: string
  readonly active: string
  /** The fill and the border of a state, by its tone. */
  readonly tones: Readonly<Record<Tone, readonly [fill: string, border: string]>>
}

const PALETTES: Readonly<Record<Theme, Palette>> = {
  light: {
    canvas: '#ffffff',
    text: '#1f2328',
    muted: '#59636e',
    line: '#818b98',
    active: '#8250df',
    tones: {
      pass: ['#dafbe1', '#1a7f37'],
      hold: ['#fff8c5', '#9a6700'],
      anonymous: ['#f1f3f5', '#818b98'],
      refuse: ['#ffebe9', '#cf222e'],
      gated: ['#ddf4ff', '#0969da'],
      plain: ['#ffffff', '#818b98'],
    },
  },
  dark: {
    canvas: '#0d1117',
    text: '#f0f6fc',
    muted: '#a3abb5',
    line: '#7d8590',
    active: '#d2a8ff',
    tones: {
      pass: ['#12331f', '#3fb950'],
      hold: ['#3a2d0c', '#d29922'],
      anonymous: ['#22272e', '#8b949e'],
      refuse: ['#41181b', '#f85149'],
      gated: ['#122d4f', '#4493f8'],
      plain: ['#0d1117', '#7d8590'],
    },
  },
}

const CODE = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
const PROSE = "system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif"

/** Returns the style sheet of a drawing. All selectors are scoped to the drawing, so it can be used in any page. */
export function chartStyle(theme: Theme): string {
  const { canvas, text, muted, line, active, tones } = PALETTES[theme]
  const toneRules = Object.entries(tones).map(([tone, [fill, border]]) => [
    `.${tone}>rect`,
    `fill:${fill};stroke:${border}`,
  ])
  const rules: Readonly<Record<string, string>> = {
    '.canvas': `fill:${canvas}`,
    text: `fill:${text};font:12px ${PROSE}`,
    '.name': `font:600 13px ${CODE}`,
    '.code': `font-family:${CODE};font-size:11px`,
    '.muted': `fill:${muted}`,
    '.line,.mark': `fill:none;stroke:${line};stroke-width:1.4`,
    '.tip,.dot': `fill:${line}`,
    '.label rect': `fill:${canvas}`,
    '.caption text': `paint-order:stroke;stroke:${canvas};stroke-width:4px;stroke-linejoin:round`,
    '.state>rect': 'stroke-width:1.4',
    '.region>rect': 'stroke-dasharray:6 4',
    '.elsewhere>rect': 'stroke-dasharray:2 3',
    ...Object.fromEntries(toneRules),
    '.frame>rect,.region>rect': 'fill-opacity:.3',
    '.any>rect': `fill:${canvas};stroke:${line}`,
    '.state[data-active]>rect': `stroke:${active};stroke-width:3.5`,
    '.edge[data-active] .line': `stroke:${active};stroke-width:3`,
    '.edge[data-active] .tip': `fill:${active}`,
    '.label[data-active] text,.label[data-active] tspan': `fill:${active}`,
  }
  return Object.entries(rules)
    .map(([selectors, rule]) => {
      const scoped = selectors.split(',').map((selector) => `.authchart.${theme} ${selector}`)
      return `${scoped.join(',')}{${rule}}`
    })
    .join('')
}
