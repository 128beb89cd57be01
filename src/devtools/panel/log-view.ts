import type { Fact } from '../../inspect/frames.ts'
import { categoryOf, type Moment } from '../recording/moment.ts'
import type { Recording } from '../recording/recording.ts'
import { button, card, h, setText, toggle } from './dom.ts'
import { createLogFilters } from './log-filters.ts'
import { createFolds } from './log-folds.ts'
import type { Scene, View } from './scene.ts'
import { clockTime } from './words.ts'

/** The number of rows in the page; a button adds older ones. */
const PAGE = 200

export interface LogOptions {
  /** Shows a moment; `undefined` shows the live session. */
  readonly look: (moment: Moment | undefined) => void
}

/** Lists the events, newest first, with filters. Choosing a row shows the session at that moment. */
export function createLogView({ look }: LogOptions): View {
  let limit = PAGE

  const filters = createLogFilters(refilter)
  filters.kinds.append(
    toggle('fold refreshes', { class: 'small' }, true, (on) => {
      folds.on = on
      if (last) choose(last)
    }),
  )
  const list = h('ol', {
    class: 'events',
    role: 'listbox',
    tabindex: 0,
    'aria-label': 'Events, newest first',
  })
  const none = h('p', { class: 'muted empty' }, 'Nothing to show.')
  const older = button('Older events', { class: 'small older' }, () => {
    limit += PAGE
    refilter()
  })
  const place = h('div', { class: 'events-place' }, list, older)
  const { element, header } = card('log', 'Events', filters.kinds, none, place)
  header.append(filters.search)

  let last: Scene | undefined
  /** The recording that the rows were created from, and the newest moment among them. */
  let source: Recording | undefined
  let newest: Moment | undefined
  const rows = new Map<Moment, HTMLElement>()
  const shown = new WeakMap<Element, Moment>()
  let chosen: HTMLElement | undefined

  const folds = createFolds({ list, momentOf: (row) => shown.get(row), nextId, look })

  const isWanted = (moment: Moment) => filters.isWanted(moment, textOf)

  function refilter() {
    source = undefined
    if (last) show(last)
  }

  function rowOf(moment: Moment): HTMLElement {
    const row = h(
      'li',
      {
        role: 'option',
        'aria-selected': 'false',
        'data-event': moment.type,
        'data-category': categoryOf(moment),
        id: nextId(),
      },
      h('time', { datetime: new Date(moment.at).toISOString() }, clockTime(moment.at)),
      h('b', {}, moment.type),
      h('span', { class: 'details' }, detailsOf(moment)),
    )
    row.addEventListener('click', () => look(moment))
    rows.set(moment, row)
    shown.set(row, moment)
    return row
  }

  function rebuild({ recording }: Scene) {
    source = recording
    rows.clear()
    chosen = undefined
    const found = recording.moments.filter(isWanted)
    list.replaceChildren(...found.slice(-limit).reverse().map(rowOf))
    older.hidden = found.length <= limit
    newest = recording.moments.at(-1)
    folds.update()
  }

  function append(moments: readonly Moment[], from: number) {
    const fresh = moments.slice(from).filter(isWanted)
    newest = moments.at(-1)
    if (fresh.length === 0) return
    list.prepend(...fresh.reverse().map(rowOf))
    while (rows.size > limit && list.lastElementChild) {
      const moment = shown.get(list.lastElementChild)
      if (moment) rows.delete(moment)
      list.lastElementChild.remove()
      older.hidden = false
    }
    folds.update()
  }

  /** Updates the last two rows: a burst of requests changes existing moments instead of adding new ones. */
  function recount({ recording: { moments } }: Scene) {
    for (const moment of moments.slice(-2)) {
      const [time, , details] = rows.get(moment)?.children ?? []
      if (!time || !details) continue
      setText(time, clockTime(moment.at))
      setText(details, detailsOf(moment))
    }
  }

  function choose({ moment, live }: Scene) {
    const found = live ? undefined : rows.get(moment)
    const row = found && folds.shownBy(found)
    if (row === chosen) return
    chosen?.setAttribute('aria-selected', 'false')
    chosen = row
    row?.setAttribute('aria-selected', 'true')
    if (row) list.setAttribute('aria-activedescendant', row.id)
    else list.removeAttribute('aria-activedescendant')
    if (row) keepInSight(row, place)
  }

  function show(scene: Scene) {
    last = scene
    const { recording } = scene
    const at = newest ? recording.moments.lastIndexOf(newest) : -1
    // The newest shown moment is missing: the recording was cleared.
    if (source !== recording || (newest && at < 0)) rebuild(scene)
    else append(recording.moments, at + 1)
    recount(scene)
    none.hidden = list.childElementCount > 0
    place.hidden = !none.hidden
    choose(scene)
  }

  function lookAt(row: Element | undefined) {
    const moment = row && (shown.get(row) ?? folds.newestOf(row))
    if (moment) look(moment)
  }

  list.addEventListener('keydown', (event) => {
    const options = folds.stops()
    const at = chosen ? options.indexOf(chosen) : -1
    const target = { ArrowDown: at + 1, ArrowUp: Math.max(0, at - 1), Home: 0, End: options.length - 1 }[
      event.key
    ]
    if (event.key === 'Escape' && chosen) look(undefined)
    else if (chosen && (event.key === 'ArrowRight' || event.key === 'ArrowLeft')) {
      folds.open(chosen, event.key === 'ArrowRight')
      if (last) choose(last)
    } else if (target === undefined) return
    else lookAt(options[target])
    event.preventDefault()
    event.stopPropagation()
  })

  return { element, show }
}

let lastId = 0
const nextId = () => `authchart-event-${++lastId}`

const textOf = (moment: Moment) => `${moment.type} ${detailsOf(moment)}`

/** Formats the facts of a moment in one line. */
function detailsOf({ type, facts }: Moment): string {
  if (type === 'transition') return `${String(facts.from)} → ${String(facts.to)}`
  return Object.entries(facts)
    .map(([name, fact]) => `${name} ${factText(name, fact)}`)
    .join(', ')
}

function factText(name: string, fact: Fact): string {
  if (typeof fact === 'number' && name.endsWith('At')) return clockTime(fact)
  if (typeof fact !== 'object') return String(fact)
  return `(${Object.entries(fact)
    .map(([inner, value]) => `${inner} ${factText(inner, value)}`)
    .join(', ')})`
}

/** Scrolls a row into view. Scrolls the list only, because `scrollIntoView` would also move the page. */
function keepInSight(row: HTMLElement, place: HTMLElement) {
  const [top, bottom] = [row.offsetTop, row.offsetTop + row.offsetHeight]
  if (top < place.scrollTop) place.scrollTop = top
  else if (bottom > place.scrollTop + place.clientHeight) place.scrollTop = bottom - place.clientHeight
}
