import { type Lane, type Phase, stageAt } from '../recording/lane.ts'
import { h, setData, setText } from './dom.ts'
import { duration } from './words.ts'

/** The height of a row, in pixels; the style sheet says the same. */
export const ROW_HEIGHT = 24

export interface LaneRow {
  readonly element: HTMLElement
  show(lane: Lane, at: { place: number; of: number; from: number; until: number }): void
}

interface Bar {
  readonly phase: Phase
  readonly begin: number
  readonly end: number
}

/** One row of the list; it shows this request and then that, as the list is scrolled. */
export function createLaneRow(): LaneRow {
  const name = h('span', { class: 'lane-name' })
  const track = h('span', { class: 'track', 'aria-hidden': 'true' })
  const result = h('span', { class: 'result' })
  const element = h('li', { class: 'row' }, name, track, result)

  function showBars(bars: readonly Bar[], from: number, until: number) {
    while (track.children.length < bars.length) track.append(h('span', { class: 'bar' }))
    while (track.children.length > bars.length) track.lastElementChild?.remove()
    bars.forEach(({ phase, begin, end }, index) => {
      const bar = track.children[index] as HTMLElement
      const share = (at: number) => Math.max(0, Math.min(1, (at - from) / (until - from))) * 100
      setData(bar, 'phase', phase)
      bar.style.insetInlineStart = `${share(begin)}%`
      bar.style.inlineSize = `${share(end) - share(begin)}%`
    })
  }

  let last = ''
  function put(place: number, of: number) {
    const now = `${place} of ${of}`
    if (now === last) return
    last = now
    element.style.transform = `translateY(${place * ROW_HEIGHT}px)`
    element.ariaPosInSet = String(place + 1)
    element.ariaSetSize = String(of)
  }

  return {
    element,
    show(lane, { place, of, from, until }) {
      const stage = stageAt(lane, until) ?? 'held'
      const ended = stage === 'done' || stage === 'rejected'
      const end = ended ? (lane.endedAt ?? until) : until
      const bars = barsOf(lane, end)
      put(place, of)
      setData(element, 'request', String(lane.id))
      setData(element, 'stage', stage)
      setData(element, 'phases', bars.map(({ phase }) => phase).join(' '))
      setText(name, lane.name)
      if (element.title !== lane.origin) element.title = lane.origin
      setText(result, `${resultOf(lane, stage)} ${duration(end - lane.startedAt)}`)
      showBars(bars, from, until)
    },
  }
}

function barsOf({ startedAt, phases }: Lane, end: number): Bar[] {
  const begun = phases.filter(({ at }) => at <= end)
  const bars = begun.map(
    ({ phase, at }, index): Bar => ({ phase, begin: at, end: begun[index + 1]?.at ?? end }),
  )
  return bars.length > 0 ? bars : [{ phase: 'held', begin: startedAt, end }]
}

function resultOf({ status, reason }: Lane, stage: string): string {
  if (stage === 'done') return status === undefined ? 'done' : String(status)
  return stage === 'rejected' ? (reason ?? stage) : stage
}
