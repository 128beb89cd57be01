import { CATEGORIES, type Category, categoryOf, type Moment } from '../recording/moment.ts'
import { h, toggle } from './dom.ts'

export interface LogFilters {
  /** The buttons of the kinds of events. */
  readonly kinds: HTMLElement
  readonly search: HTMLInputElement
  /** @param textOf writes the moment, as the user reads it */
  isWanted(moment: Moment, textOf: (moment: Moment) => string): boolean
}

/** Creates the filters of the list of events: by kind, and by text. */
export function createLogFilters(changed: () => void): LogFilters {
  const wanted = new Set<Category>(['states', 'tokens', 'requests', 'trouble'])
  let needle = ''

  const kinds = h('div', { class: 'filters', role: 'group', 'aria-label': 'Kinds of events' })
  for (const category of CATEGORIES) {
    kinds.append(
      toggle(category, { class: `small filter ${category}` }, wanted.has(category), (on) => {
        if (on) wanted.add(category)
        else wanted.delete(category)
        changed()
      }),
    )
  }
  const search = h('input', { type: 'search', placeholder: 'Filter', 'aria-label': 'Filter events by text' })
  search.addEventListener('keydown', (event) => {
    if (event.key !== 'Escape' || search.value === '') return
    event.preventDefault()
    event.stopPropagation()
    search.value = ''
    search.dispatchEvent(new Event('input'))
  })
  search.addEventListener('input', () => {
    needle = search.value.trim().toLowerCase()
    changed()
  })

  return {
    kinds,
    search,
    isWanted: (moment, textOf) =>
      wanted.has(categoryOf(moment)) && (needle === '' || textOf(moment).toLowerCase().includes(needle)),
  }
}
