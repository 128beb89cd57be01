import type { ChartLayout } from '../chart/chart-layout.ts'
import type { Theme } from '../chart/chart-style.ts'
import { chartNode } from '../chart/draw-chart.ts'
import { mapLayout, overviewLayout } from '../chart/layouts.ts'
import { svgElement } from '../chart/svg-node.ts'
import type { Moment } from '../recording/moment.ts'
import { card, h, setText, toggle } from './dom.ts'
import { createEdgeAnimation, type EdgeAnimation, LIT_FOR } from './edge-animation.ts'
import { firedEdges } from './fired-edges.ts'
import type { Scene, View } from './scene.ts'
import { stateWords } from './words.ts'

/** The size of the smallest label, and the size in which it can be read, in pixels. */
const [LABEL, READABLE] = [11, 9]

/** Shows the chart. The active states are lit, and transitions light up when they are taken. */
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
  const fit = toggle('Fit', { class: 'small', title: 'Show the whole chart' }, false, (on) => {
    place.classList.toggle('fit', on)
    if (shown) follow(shown.moment)
  })
  header.append(inner, fit)

  let layout: ChartLayout = mapLayout
  let states = new Map<string, SVGElement>()
  let animation: EdgeAnimation | undefined
  let shown: { readonly moment: Moment; readonly scene: Scene } | undefined

  function redraw() {
    animation?.stop()
    const drawing = svgElement(chartNode(layout, theme()))
    const found = [...drawing.querySelectorAll<SVGElement>('.state[data-state]')]
    states = new Map(found.map((state) => [state.dataset.state ?? '', state]))
    animation = createEdgeAnimation(drawing)
    place.replaceChildren(drawing)
    // A smaller place scrolls, so that labels stay readable.
    place.style.setProperty('--wide', `${Math.ceil((layout.width * READABLE) / LABEL)}px`)
    place.style.setProperty('--high', `${Math.ceil((layout.height * READABLE) / LABEL)}px`)
    if (shown) light(shown.moment)
    if (shown && !shown.scene.live) hold(shown.scene)
  }

  function light({ active }: Moment) {
    for (const [path, state] of states) state.toggleAttribute('data-active', active.includes(path))
  }

  /** Scrolls the chart to the innermost active state, if it is out of sight. */
  function follow({ active }: Moment) {
    const state = states.get([...active].reverse().find((path) => states.has(path)) ?? '')
    if (!state) return
    const [box, view] = [state.getBoundingClientRect(), place.getBoundingClientRect()]
    const isInSight =
      box.left >= view.left && box.right <= view.right && box.top >= view.top && box.bottom <= view.bottom
    if (isInSight || view.width === 0) return
    place.scrollBy({
      left: box.left + box.width / 2 - view.left - view.width / 2,
      top: box.top + box.height / 2 - view.top - view.height / 2,
    })
  }

  /** Keeps the transitions of a past moment lit. */
  function hold({ recording, index }: Scene) {
    animation?.hold(firedEdges(layout, recording.moments, index))
  }

  /** Animates the transitions since the last drawing. Older ones, from a time when the panel was closed, are skipped. */
  function animate({ recording: { moments }, seenAt }: Scene, last: Moment | undefined) {
    const fired = new Set<string>()
    for (let index = moments.length - 1; index >= 0; index--) {
      const moment = moments[index]
      if (moment?.step === undefined || moment === last || seenAt - moment.seenAt > LIT_FOR) break
      for (const id of firedEdges(layout, moments, index)) fired.add(id)
    }
    animation?.run([...fired])
  }

  redraw()
  return {
    element,
    redraw,
    stop: () => animation?.stop(),
    show(scene) {
      const { moment, live } = scene
      const before = shown
      const sameRecording = before?.scene.recording === scene.recording
      if (before?.moment === moment && before.scene.live === live && sameRecording) return
      shown = { moment, scene }
      setText(words, stateWords(moment.active))
      light(moment)
      follow(moment)
      if (!live) hold(scene)
      else if (!before?.scene.live) animation?.hold([])
      else if (sameRecording) animate(scene, before.moment)
    },
  }
}
