import type { Lane } from '../recording/lane.ts'
import type { Palette } from './palette.ts'

interface Window {
  readonly from: number
  readonly until: number
  readonly colors: Palette
}

/** The maximum height of a line, in pixels. */
const MAX_HEIGHT = 6

/** Draws all requests of a period in one picture, one line each. Lines become thinner if there are many. */
export function drawRequests(
  canvas: HTMLCanvasElement,
  { width, height }: { readonly width: number; readonly height: number },
  lanes: readonly Lane[],
  { from, until, colors }: Window,
) {
  const context = canvas.getContext('2d')
  if (!context || width === 0 || height === 0) return
  const scale = globalThis.devicePixelRatio || 1
  const [pixelsWide, pixelsHigh] = [Math.round(width * scale), Math.round(height * scale)]
  if (canvas.width !== pixelsWide || canvas.height !== pixelsHigh) {
    canvas.width = pixelsWide
    canvas.height = pixelsHigh
  }
  context.setTransform(scale, 0, 0, scale, 0, 0)
  context.clearRect(0, 0, width, height)
  const visible = lanes.filter(({ startedAt, endedAt = until }) => endedAt >= from && startedAt <= until)
  const step = Math.min(MAX_HEIGHT, height / visible.length)
  const thick = Math.max(step * 0.7, Math.min(step, 0.75))
  const x = (at: number) => ((Math.max(from, Math.min(until, at)) - from) / (until - from)) * width
  visible.forEach(({ phases, startedAt, endedAt = until, outcome }, index) => {
    const y = index * step
    let begin = startedAt
    let color = colors.held
    for (const { phase, at } of phases) {
      fill(begin, at, y, color)
      begin = at
      color = colors[phase]
    }
    fill(begin, endedAt, y, color)
    if (outcome && endedAt <= until) {
      context.fillStyle = colors[outcome]
      context.fillRect(x(endedAt) - 1, y, 2, thick)
    }
  })

  function fill(begin: number, end: number, y: number, color: string) {
    const [left, right] = [x(begin), x(Math.min(end, until))]
    if (!context || right <= left) return
    context.fillStyle = color
    context.fillRect(left, y, right - left, thick)
  }
}
