import type { ChartLayout, LaidEdge, LaidState } from './chart-layout.ts'
import { chartStyle, type Theme } from './chart-style.ts'
import { type SvgNode, svg, svgText } from './svg-node.ts'

export interface DrawOptions {
  /** Default: `light`. */
  readonly theme?: Theme
}

/**
 * Draws a chart from its layout, as a self-contained file. It has no scripts and no links. Its styles apply
 * to the drawing only.
 *
 * @returns An `<svg>` element as text.
 */
export function drawChart(layout: ChartLayout, { theme = 'light' }: DrawOptions = {}): string {
  const chart = chartNode(layout, theme)
  const styled = { ...chart, children: [svg('style', {}, chartStyle(theme)), ...chart.children] }
  return svgText(styled, '\n')
}

/**
 * Draws a chart without a style; see `chartStyle`.
 *
 * Every state is a `<g class="state" data-state="refreshing.gate.open">`. Every arrow is a `<g class="edge">` and a
 * `<g class="label">`, both with `data-transition="expired -> authenticating"`. The attribute `data-active` highlights any of them.
 */
export function chartNode(layout: ChartLayout, theme: Theme): SvgNode {
  const { title, width, height, states, edges, starts, legend } = layout
  const frames = states.filter(isFrame)
  return svg(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      class: `authchart ${theme}`,
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: 'img',
      'aria-label': title,
    },
    svg('title', {}, title),
    svg('rect', { class: 'canvas', width, height, rx: 8 }),
    // Draw frames first, then lines, then texts: lines cover frames, and texts cover lines.
    ...frames.map((frame) => state(frame, [])),
    ...starts.map(start),
    ...edges.map(({ id, points }) => svg('g', { class: 'edge', 'data-transition': id }, ...arrow(points))),
    ...frames.map((frame) => svg('g', { class: 'caption' }, ...captionOf(frame))),
    ...states.filter((one) => !isFrame(one)).map((one) => state(one, captionOf(one))),
    ...edges.map(label),
    ...legend.map(key),
  )
}

function isFrame({ kind }: LaidState): boolean {
  return kind === 'frame' || kind === 'region'
}

function state(
  { id, kind, tone, description, x, y, width, height }: LaidState,
  caption: readonly SvgNode[],
): SvgNode {
  return svg(
    'g',
    { class: `state ${kind} ${tone}`, 'data-state': id },
    description ? svg('title', {}, description) : undefined,
    svg('rect', { x, y, width, height, rx: kind === 'any' ? height / 2 : 8 }),
    kind === 'composite' ? compositeMark(x + width - 27, y + 8) : undefined,
    ...caption,
  )
}

/** The mark of a composite state: two boxes and a line between them. */
function compositeMark(x: number, y: number): SvgNode {
  return svg('path', {
    class: 'mark',
    d: `M${x} ${y}h7v5h-7zM${x + 12} ${y}h7v5h-7zM${x + 7} ${y + 2.5}h5`,
  })
}

function captionOf(state: LaidState): SvgNode[] {
  const { name, kind, rows, x, y, width } = state
  const place = isFrame(state) ? { x: x + 12 } : { x: x + width / 2, 'text-anchor': 'middle' }
  if (kind === 'any') return [svg('text', { class: 'muted', ...place, y: y + 15 }, name)]
  return [
    svg('text', { class: 'name', ...place, y: y + 21 }, name),
    ...rows.map(({ text, code }, index) =>
      svg('text', { class: code ? 'code muted' : undefined, ...place, y: y + 38 + index * 16 }, text),
    ),
  ]
}

function start({ points }: ChartLayout['starts'][number]): SvgNode {
  const [[cx, cy] = [0, 0]] = points
  return svg('g', { class: 'start' }, svg('circle', { class: 'dot', cx, cy, r: 5 }), ...arrow(points))
}

function label({ id, label, description }: LaidEdge): SvgNode | undefined {
  if (!label) return undefined
  const { x, y, width, height, lines } = label
  return svg(
    'g',
    { class: 'label', 'data-transition': id },
    description ? svg('title', {}, description) : undefined,
    svg('rect', { x, y, width, height, rx: 4 }),
    ...lines.map((line, index) => {
      const [, cause = '', condition = ''] = /^(.*?)(\[.*)?$/.exec(line) ?? []
      return svg(
        'text',
        { class: 'code', x: tenth(x + width / 2), y: y + 12 + index * 14, 'text-anchor': 'middle' },
        cause || undefined,
        condition ? svg('tspan', { class: 'muted' }, condition) : undefined,
      )
    }),
  )
}

function key({ tone, text, x, y }: ChartLayout['legend'][number]): SvgNode {
  return svg(
    'g',
    { class: `state ${tone}` },
    tone === 'composite' ? compositeMark(x - 2, y + 4) : svg('rect', { x, y, width: 16, height: 12, rx: 3 }),
    svg('text', { class: 'muted', x: x + 22, y: y + 10 }, text),
  )
}

const CORNER = 7

/** Draws a line with rounded corners, and its tip. */
function arrow(points: LaidEdge['points']): SvgNode[] {
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
  return [
    svg('path', { class: 'line', d: path.join('') }),
    svg('path', { class: 'tip', d: `M${tip[0]} ${tip[1]}L${wings}Z` }),
  ]
}

/** Returns the point that is one corner radius away, in the direction of another point. */
function towards([x, y]: readonly [number, number], [toX, toY]: readonly [number, number]): [number, number] {
  const length = Math.hypot(toX - x, toY - y)
  const share = length === 0 ? 0 : Math.min(CORNER, length / 2) / length
  return [tenth(x + (toX - x) * share), tenth(y + (toY - y) * share)]
}

function tenth(length: number): number {
  return Math.round(length * 10) / 10
}
