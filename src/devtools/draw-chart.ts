import type { ChartLayout, LaidEdge, LaidState } from './chart-layout.ts'
import { chartStyle, type Theme } from './chart-style.ts'

export interface DrawOptions {
  /** Default: `light`. */
  readonly theme?: Theme
}

/**
 * Draws a chart from its layout.
 *
 * Every state is a `<g class="state" data-state="refreshing.gate.open">`, every arrow a `<g class="edge">` and a
 * `<g class="label">`, both with `data-transition="expired -> authenticating"`. Set the attribute `data-active` on one of
 * them, and it lights up. There is nothing in a drawing that a page would have to look out for: no script, no link, no style
 * for anything but itself.
 *
 * @returns An `<svg>` element as text.
 */
export function drawChart(layout: ChartLayout, { theme = 'light' }: DrawOptions = {}): string {
  const { title, width, height, states, edges, starts, legend } = layout
  const frames = states.filter(isFrame)
  const size = `viewBox="0 0 ${width} ${height}" width="${width}" height="${height}"`
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="authchart ${theme}" ${size} role="img" aria-label="${escaped(title)}">`,
    `<title>${escaped(title)}</title>`,
    `<style>${chartStyle(theme)}</style>`,
    `<rect class="canvas" width="${width}" height="${height}" rx="8"/>`,
    // Lines run over frames, and under what is written in them.
    ...frames.map((frame) => state(frame, '')),
    ...starts.map(start),
    ...edges.map(({ id, points }) => `<g class="edge" data-transition="${escaped(id)}">${arrow(points)}</g>`),
    ...frames.map((frame) => `<g class="caption">${captionOf(frame)}</g>`),
    ...states.filter((one) => !isFrame(one)).map((one) => state(one, captionOf(one))),
    ...edges.map(label),
    ...legend.map(key),
    '</svg>',
    '',
  ].join('\n')
}

function isFrame({ kind }: LaidState): boolean {
  return kind === 'frame' || kind === 'region'
}

function state({ id, kind, tone, description, x, y, width, height }: LaidState, caption: string): string {
  const radius = kind === 'any' ? height / 2 : 8
  return [
    `<g class="state ${kind} ${tone}" data-state="${escaped(id)}">`,
    description ? `<title>${escaped(description)}</title>` : '',
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}"/>`,
    kind === 'composite' ? compositeMark(x + width - 27, y + 8) : '',
    caption,
    '</g>',
  ].join('')
}

/** Two states with an arrow between them: there is more inside. */
function compositeMark(x: number, y: number): string {
  return `<path class="mark" d="M${x} ${y}h7v5h-7zM${x + 12} ${y}h7v5h-7zM${x + 7} ${y + 2.5}h5"/>`
}

function captionOf(state: LaidState): string {
  const { name, kind, rows, x, y, width } = state
  const left = isFrame(state)
  const [at, anchor] = left ? [x + 12, ''] : [x + width / 2, ' text-anchor="middle"']
  if (kind === 'any') return `<text class="muted" x="${at}" y="${y + 15}"${anchor}>${escaped(name)}</text>`
  const lines = rows.map(({ text, code }, index) => {
    const style = code ? ' class="code muted"' : ''
    return `<text${style} x="${at}" y="${y + 38 + index * 16}"${anchor}>${escaped(text)}</text>`
  })
  return [`<text class="name" x="${at}" y="${y + 21}"${anchor}>${escaped(name)}</text>`, ...lines].join('')
}

function start({ points }: ChartLayout['starts'][number]): string {
  const [[x, y] = [0, 0]] = points
  return `<g class="start"><circle class="dot" cx="${x}" cy="${y}" r="5"/>${arrow(points)}</g>`
}

function label({ id, label, description }: LaidEdge): string {
  if (!label) return ''
  const { x, y, width, height, lines } = label
  const texts = lines.map((line, index) => {
    const [, cause = '', condition = ''] = /^(.*?)(\[.*)?$/.exec(line) ?? []
    const muted = condition ? `<tspan class="muted">${escaped(condition)}</tspan>` : ''
    return `<text class="code" x="${tenth(x + width / 2)}" y="${y + 12 + index * 14}" text-anchor="middle">${escaped(cause)}${muted}</text>`
  })
  return [
    `<g class="label" data-transition="${escaped(id)}">`,
    description ? `<title>${escaped(description)}</title>` : '',
    `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="4"/>`,
    ...texts,
    '</g>',
  ].join('')
}

function key({ tone, text, x, y }: ChartLayout['legend'][number]): string {
  const sample = `<rect x="${x}" y="${y}" width="16" height="12" rx="3"/>`
  return `<g class="state ${tone}">${tone === 'composite' ? compositeMark(x - 2, y + 4) : sample}<text class="muted" x="${x + 22}" y="${y + 10}">${escaped(text)}</text></g>`
}

const CORNER = 7

/** A line with rounded corners, and its tip. */
function arrow(points: LaidEdge['points']): string {
  const path = points.map(([x, y], index) => {
    const [before, after] = [points[index - 1], points[index + 1]]
    if (!before) return `M${x} ${y}`
    if (!after) return `L${x} ${y}`
    const [inX, inY] = towards([x, y], before)
    const [outX, outY] = towards([x, y], after)
    return `L${inX} ${inY}Q${x} ${y} ${outX} ${outY}`
  })
  const [tip = [0, 0], before = [0, 0]] = [points.at(-1), points.at(-2)]
  const [dx, dy] = [Math.sign(tip[0] - before[0]), Math.sign(tip[1] - before[1])]
  const [backX, backY] = [tenth(tip[0] - dx * 8), tenth(tip[1] - dy * 8)]
  const wings = `${tenth(backX - dy * 4)} ${tenth(backY - dx * 4)}L${tenth(backX + dy * 4)} ${tenth(backY + dx * 4)}`
  return `<path class="line" d="${path.join('')}"/><path class="tip" d="M${tip[0]} ${tip[1]}L${wings}Z"/>`
}

/** A point on the way to another, a corner's length from here. */
function towards([x, y]: readonly [number, number], [toX, toY]: readonly [number, number]): [number, number] {
  const length = Math.hypot(toX - x, toY - y)
  const share = length === 0 ? 0 : Math.min(CORNER, length / 2) / length
  return [tenth(x + (toX - x) * share), tenth(y + (toY - y) * share)]
}

function tenth(length: number): number {
  return Math.round(length * 10) / 10
}

function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
}
