import { type Counts, countsAt, type Lane, stageAt } from '../recording/lane.ts'
import { card, h, setData, setText } from './dom.ts'
import { createLaneRow, type LaneRow, ROW_HEIGHT } from './lane-row.ts'
import type { Palette } from './palette.ts'
import { drawRequests } from './requests-canvas.ts'
import type { Scene, View } from './scene.ts'

/** The time that the lanes show, in milliseconds. */
const SPAN = 8_000

const COUNTERS: readonly (readonly [keyof Counts, string])[] = [
  ['requests', 'requests'],
  ['inFlight', 'in flight'],
  ['held', 'held'],
  ['replayed', 'replayed'],
  ['done', 'done'],
  ['rejected', 'rejected'],
]

const REMOTE = 'The session lives in a worker, which sends its requests. They are not visible from this page.'

/** Shows each request as a bar: sent, held, replayed, done or rejected. Only the visible rows of the list are in the page. */
export function createLanesView(palette: () => Palette, isRemote: boolean): View {
  const counters = h('dl', { class: 'counters' })
  const values = new Map(
    COUNTERS.map(([name, label]) => {
      const value = h('dd', { 'data-counter': name }, '0')
      counters.append(h('div', { class: name }, h('dt', {}, label), value))
      return [name, value]
    }),
  )
  const canvas = h('canvas', { class: 'requests-canvas', 'aria-hidden': 'true' })
  const list = h('ol', { class: 'rows' })
  const empty = h('p', { class: 'muted empty' }, isRemote ? REMOTE : 'No request yet.')
  const place = h(
    'div',
    { class: 'rows-place', tabindex: 0, role: 'region', 'aria-label': 'Requests, newest first' },
    list,
  )
  const { element } = card('lanes', 'Requests', counters, canvas, empty, place)

  const size = { width: 0, height: 0, rows: 0 }
  const sizes = new ResizeObserver(() => {
    size.width = canvas.clientWidth
    size.height = canvas.clientHeight
    size.rows = place.clientHeight
    if (last) show(last)
  })
  sizes.observe(canvas)
  sizes.observe(place)
  let scrolled = 0
  place.addEventListener(
    'scroll',
    () => {
      scrolled = place.scrollTop
      if (last) show(last)
    },
    { passive: true },
  )

  const rows: LaneRow[] = []
  let last: Scene | undefined

  function showRows(lanes: readonly Lane[], from: number, until: number) {
    const first = Math.max(0, Math.floor(scrolled / ROW_HEIGHT) - 1)
    const visible = Math.max(0, Math.min(lanes.length - first, Math.ceil(size.rows / ROW_HEIGHT) + 2))
    while (rows.length < visible) {
      const row = createLaneRow()
      rows.push(row)
      list.append(row.element)
    }
    for (const row of rows.splice(visible)) row.element.remove()
    rows.forEach((row, index) => {
      const lane = lanes[lanes.length - 1 - first - index]
      if (lane) row.show(lane, { place: first + index, of: lanes.length, from, until })
    })
    if (list.dataset.length !== String(lanes.length)) {
      setData(list, 'length', String(lanes.length))
      list.style.blockSize = `${lanes.length * ROW_HEIGHT}px`
    }
  }

  function show(scene: Scene) {
    last = scene
    const { recording, seenAt, live } = scene
    const lanes = live ? recording.lanes : recording.lanes.filter((lane) => stageAt(lane, seenAt))
    const until = live ? endOf(lanes, seenAt) : seenAt
    const counts = countsAt(lanes, seenAt)
    for (const [name, value] of values) setText(value, String(counts[name]))
    empty.hidden = lanes.length > 0
    place.hidden = canvas.hidden = lanes.length === 0
    drawRequests(canvas, size, lanes, { from: until - SPAN, until, colors: palette() })
    showRows(lanes, until - SPAN, until)
  }

  return { element, show, stop: () => sizes.disconnect() }
}

/** Returns the end of the shown time. It stops after the last request, so that finished requests stay visible. */
function endOf(lanes: readonly Lane[], now: number): number {
  let end = 0
  for (const { endedAt } of lanes) {
    if (endedAt === undefined) return now
    end = Math.max(end, endedAt)
  }
  return Math.min(now, end + SPAN / 16)
}
