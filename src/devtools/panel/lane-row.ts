import { type Lane, stageAt } from '../recording/lane.ts'
import { h, setData, setText } from './dom.ts'
import { barsOf, createLaneBars } from './lane-bars.ts'
import { duration, running } from './words.ts'

/** The height of a row, in pixels. The style sheet has the same number. */
export const ROW_HEIGHT = 24

export interface LaneRow {
  readonly element: HTMLElement
  show(lane: Lane, at: { place: number; of: number; from: number; until: number }): void
}

/** Creates a row of the list. Rows are reused: scrolling shows other requests in the same rows. */
export function createLaneRow(): LaneRow {
  const name = h('span', { class: 'lane-name' })
  const track = createLaneBars()
  const result = h('span', { class: 'result' })
  const element = h('li', { class: 'row' }, name, track.element, result)

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
      setText(result, `${resultOf(lane, stage)} ${(ended ? duration : running)(end - lane.startedAt)}`)
      track.show({ lane, bars, open: !ended, from, span: until - from })
    },
  }
}

function resultOf({ status, reason }: Lane, stage: string): string {
  if (stage === 'done') return status === undefined ? 'done' : String(status)
  return stage === 'rejected' ? (reason ?? stage) : stage
}
