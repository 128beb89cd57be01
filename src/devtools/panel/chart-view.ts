import type { ChartLayout } from '../chart/chart-layout.ts'
import type { Theme } from '../chart/chart-style.ts'
import { chartNode } from '../chart/draw-chart.ts'
import { mapLayout, overviewLayout } from '../chart/layouts.ts'
import { svgElement } from '../chart/svg-node.ts'
import type { Moment } from '../recording/moment.ts'
import { card, h, setText, toggle } from './dom.ts'
import { firedEdges } from './fired-edges.ts'
import { createFlashes, FLASH, type Flashes } from './flashes.ts'
import type { Scene, View } from './scene.ts'
import { stateWords } from './words.ts'

/** The chart, with the states lit that it is in, and the transitions that it goes along. */
export function createChartView(theme: () => Theme): View & { redraw(): void } {
  const words = h('p', { class: 'state-words', role: 'status' })
  const place = h('div', {
    class: 'chart-place',
    tabindex: 0,
    role: 'region',
    'aria-label': 'Drawing of the chart',
  })
  const { element, header } = card('chart', 'Statechart', words, place)
  const inner = toggle('Inner states', { class: 'small' }, true, (on) => {
    layout = on ? mapLayout : overviewLayout
    redraw()
  })
  header.append(inner)

  let layout: ChartLayout = mapLayout
  let states = new Map<string, SVGElement>()
  let flashes: Flashes | undefined
  let shown: { readonly moment: Moment; readonly scene: Scene } | undefined

  function redraw() {
    flashes?.stop()
    const drawing = svgElement(chartNode(layout, theme()))
    const found = [...drawing.querySelectorAll<SVGElement>('.state[data-state]')]
    states = new Map(found.map((state) => [state.dataset.state ?? '', state]))
    flashes = createFlashes(drawing)
    place.replaceChildren(drawing)
    if (shown) light(shown.moment)
    if (shown && !shown.scene.live) hold(shown.scene)
  }

  function light({ active }: Moment) {
    for (const [path, state] of states) state.toggleAttribute('data-active', active.includes(path))
  }

  /** Of a moment that is past, the transitions stay lit. */
  function hold({ recording, index }: Scene) {
    flashes?.hold(firedEdges(layout, recording.moments, index))
  }

  /** What was seen while nobody looked is no news. */
  function follow({ recording: { moments }, seenAt }: Scene, last: Moment | undefined) {
    const fired = new Set<string>()
    for (let index = moments.length - 1; index >= 0; index--) {
      const moment = moments[index]
      if (moment?.step === undefined || moment === last || seenAt - moment.seenAt > FLASH) break
      for (const id of firedEdges(layout, moments, index)) fired.add(id)
    }
    flashes?.run([...fired])
  }

  redraw()
  return {
    element,
    redraw,
    stop: () => flashes?.stop(),
    show(scene) {
      const { moment, live } = scene
      const before = shown
      const sameRecording = before?.scene.recording === scene.recording
      if (before?.moment === moment && before.scene.live === live && sameRecording) return
      shown = { moment, scene }
      setText(words, stateWords(moment.active))
      light(moment)
      if (!live) hold(scene)
      else if (!before?.scene.live) flashes?.hold([])
      else if (sameRecording) follow(scene, before.moment)
    },
  }
}
