import type { Lane, Phase } from '../recording/lane.ts'
import { h, setData } from './dom.ts'

export interface Bar {
  readonly phase: Phase
  readonly begin: number
  readonly end: number
}

/** Returns the phases of a request until a time, as consecutive bars. */
export function barsOf({ startedAt, phases }: Lane, end: number): Bar[] {
  const begun = phases.filter(({ at }) => at <= end)
  const bars = begun.map(
    ({ phase, at }, index): Bar => ({ phase, begin: at, end: begun[index + 1]?.at ?? end }),
  )
  return bars.length > 0 ? bars : [{ phase: 'held', begin: startedAt, end }]
}

export interface Shown {
  readonly lane: Lane
  readonly bars: readonly Bar[]
  /** Whether the request has not ended, so the last bar grows. */
  readonly open: boolean
  /** The time that the track shows: its start, and its length in milliseconds. */
  readonly from: number
  readonly span: number
}

/** The bars of a row, on a strip that moves with time. They are created again only if more than the time has changed. */
export function createLaneBars() {
  const strip = h('span', { class: 'strip' })
  const element = h('span', { class: 'track', 'aria-hidden': 'true' }, strip)
  let last = ''

  return {
    element,
    show({ lane, bars, open, from, span }: Shown) {
      strip.style.transform = `translateX(${((lane.startedAt - from) / span) * 100}%)`
      // An open bar is longer than the track, which clips it. Its length in whole tracks rarely changes, so it is rarely redrawn.
      const reach = Math.ceil((from + span - lane.startedAt) / span) + 1
      const now = `${lane.id} ${bars.length} ${span} ${open ? reach : bars.at(-1)?.end}`
      if (now === last) return
      last = now
      const share = (duration: number) => `${(duration / span) * 100}%`
      strip.replaceChildren(
        ...bars.map(({ phase, begin, end }, index) => {
          const bar = h('span', { class: 'bar' })
          setData(bar, 'phase', phase)
          bar.style.insetInlineStart = share(begin - lane.startedAt)
          bar.style.inlineSize = open && index === bars.length - 1 ? `${reach * 100}%` : share(end - begin)
          return bar
        }),
      )
    },
  }
}
