import type { Theme } from '../chart/chart-style.ts'
import type { Moment } from '../recording/moment.ts'
import { type Recorder, record, steadyNow, type WatchableAuth } from '../recording/recorder.ts'
import { type Recording, readRecording, writeRecording } from '../recording/recording.ts'
import { createChartView } from './chart-view.ts'
import { button, h, setText } from './dom.ts'
import { createFrames } from './frames.ts'
import { createLanesView } from './lanes-view.ts'
import { createLogView } from './log-view.ts'
import { PALETTES } from './palette.ts'
import { saveFile } from './save-file.ts'
import type { Scene, View } from './scene.ts'
import { createSessionView } from './session-view.ts'
import { createTimelineView } from './timeline-view.ts'

export interface PanelOptions {
  readonly auth: WatchableAuth
  readonly name: string
  /** The clock of the session, in milliseconds since the Unix epoch. */
  readonly now: () => number
  readonly theme: () => Theme
  /** Called after each drawing, also while the panel is hidden. */
  readonly onDraw: (scene: Scene) => void
}

export interface Panel {
  readonly element: HTMLElement
  /** Whether the panel is shown. It records even if it is hidden. */
  visible: boolean
  /** Draws the chart again, after a change of the theme. */
  redraw(): void
  /** Shows the live session. Returns `false` if it is already shown. */
  goLive(): boolean
  stop(): void
}

/** Creates the panel of one session: live, at a past moment, or from a file. */
export function createPanel({ auth, name, now, theme, onDraw }: PanelOptions): Panel {
  let loaded: Recording | undefined
  /** The chosen moment; `undefined`: the live session, or the end of the loaded recording. */
  let looked: Moment | undefined
  let visible = false
  let stopped = false
  let loads = 0

  const frames = createFrames(draw)
  const recorder: Recorder = record(auth, { name, now, onChange: frames.request })

  const look = (moment: Moment | undefined) => {
    looked = moment
    // Draw at once: the next key may be pressed before the next frame.
    draw()
  }
  const notice = h('span', { role: 'status' })
  const banner = h(
    'div',
    { class: 'banner', hidden: true },
    notice,
    button('Back to the session', { class: 'small' }, leave),
  )
  const chart = createChartView(theme)
  const session = createSessionView()
  const lanes = createLanesView(() => PALETTES[theme()], recorder.isRemote)
  const log = createLogView({ look })
  const timeline = createTimelineView({ look, leave, save, load: (file) => void load(file), clear })
  const views: readonly View[] = [chart, session, lanes, log, timeline]
  const cards = [session, chart, lanes, log].map((view) => view.element)
  const element = h(
    'div',
    { class: 'panel' },
    banner,
    timeline.element,
    h('div', { class: 'cards' }, ...cards),
  )

  function sceneOf(): Scene {
    const recording = loaded ?? recorder
    const { moments } = recording
    const live = !loaded && !looked
    const moment = live ? recorder.latest : (looked ?? moments.at(-1) ?? recorder.latest)
    return {
      recording,
      moment,
      index: live ? moments.length - 1 : moments.lastIndexOf(moment),
      now: live ? now() : moment.at,
      seenAt: live ? steadyNow() : moment === moments.at(-1) ? endOf(recording) : moment.seenAt,
      live,
      subject: live ? auth.session?.subject : undefined,
    }
  }

  function draw() {
    // Reading a file may finish after the panel was stopped.
    if (stopped) return
    const scene = sceneOf()
    if (visible) for (const view of views) view.show(scene)
    onDraw(scene)
    if (!visible || !scene.live) return
    if (recorder.open > 0) frames.request()
    else if (scene.moment.session.expiresAt !== undefined) frames.requestSoon()
  }

  function leave() {
    loaded = undefined
    banner.hidden = true
    look(undefined)
  }

  function save() {
    saveFile(`${name}-recording.json`, writeRecording(loaded ?? recorder))
  }

  async function load(file: File) {
    const mine = ++loads
    let words: string
    try {
      const text = await file.text()
      // The user may have chosen another file meanwhile: show that one.
      if (mine !== loads) return
      loaded = readRecording(text, file.name)
      words = `Showing ${file.name}.`
    } catch (error) {
      if (mine !== loads) return
      words = error instanceof Error ? error.message : 'The file cannot be read. Choose another one.'
    }
    showNotice(words)
  }

  function showNotice(words: string) {
    setText(notice, words)
    banner.hidden = false
    look(undefined)
  }

  function clear() {
    recorder.clear()
    leave()
  }

  frames.request()
  return {
    element,
    get visible() {
      return visible
    },
    set visible(next) {
      visible = next
      frames.request()
    },
    redraw() {
      chart.redraw()
      frames.request()
    },
    goLive() {
      if (!loaded && !looked) return false
      leave()
      return true
    },
    stop() {
      stopped = true
      frames.stop()
      recorder.stop()
      for (const view of views) view.stop?.()
    },
  }
}

/** Returns the time of the last record. Requests may end after the last event of the session. */
function endOf({ moments, lanes }: Recording): number {
  let end = moments.at(-1)?.seenAt ?? 0
  for (const { startedAt, phases, endedAt } of lanes)
    end = Math.max(end, endedAt ?? phases.at(-1)?.at ?? startedAt)
  return end
}
