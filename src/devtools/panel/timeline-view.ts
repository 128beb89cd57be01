import type { Moment } from '../recording/moment.ts'
import { button, h, setText } from './dom.ts'
import type { Scene, View } from './scene.ts'
import { clockTime, duration } from './words.ts'

export interface TimelineOptions {
  /** Shows a moment; `undefined` shows the end of the recording. */
  readonly look: (moment: Moment | undefined) => void
  /** Shows the live session. */
  readonly leave: () => void
  readonly save: () => void
  readonly load: (file: File) => void
  readonly clear: () => void
}

/** Moves through the recording, saves it to a file, and loads a file. */
export function createTimelineView({ look, leave, save, load, clear }: TimelineOptions): View {
  const slider = h('input', { type: 'range', min: 0, max: 0, step: 1, 'aria-label': 'Moment' })
  const words = h('output', { class: 'when' })
  const back = button('◀', { class: 'small', 'aria-label': 'One moment back' }, () => step(-1))
  const ahead = button('▶', { class: 'small', 'aria-label': 'One moment ahead' }, () => step(1))
  const live = button('Live', { class: 'small live' }, leave)
  const file = h('input', {
    type: 'file',
    accept: 'application/json,.json',
    hidden: true,
    'aria-label': 'A recording to load',
  })
  const element = h(
    'div',
    { class: 'timeline', role: 'group', 'aria-label': 'Timeline' },
    back,
    slider,
    ahead,
    live,
    words,
    h(
      'span',
      { class: 'files' },
      button('Export', { class: 'small', 'data-action': 'export' }, save),
      button('Load', { class: 'small', 'data-action': 'load' }, () => file.click()),
      button('Clear', { class: 'small', 'data-action': 'clear' }, clear),
      file,
    ),
  )

  let last: Scene | undefined
  const step = (by: number) => {
    if (!last) return
    const { recording, index } = last
    look(recording.moments[Math.max(0, Math.min(recording.moments.length - 1, index + by))])
  }
  slider.addEventListener('input', () => look(last?.recording.moments[Number(slider.value)]))
  file.addEventListener('change', () => {
    const [chosen] = file.files ?? []
    if (chosen) load(chosen)
    // Without this, choosing the same file again fires no event.
    file.value = ''
  })

  return {
    element,
    show(scene) {
      last = scene
      const { recording, index, moment, live: isLive } = scene
      const end = Math.max(0, recording.moments.length - 1)
      slider.max = String(end)
      slider.value = String(isLive ? end : index)
      slider.disabled = recording.moments.length === 0
      slider.setAttribute('aria-valuetext', isLive ? 'live' : `${moment.type} at ${clockTime(moment.at)}`)
      back.disabled = recording.moments.length === 0 || index <= 0
      ahead.disabled = isLive || index >= end
      live.setAttribute('aria-pressed', String(isLive))
      setText(words, isLive ? '' : `${clockTime(moment.at)}, ${agoWords(recording.moments, moment)}`)
    },
  }
}

function agoWords(moments: readonly Moment[], { seenAt }: Moment): string {
  return `${duration((moments.at(-1)?.seenAt ?? seenAt) - seenAt)} before the end`
}
