import type { Moment } from '../recording/moment.ts'
import { h, setData, setText } from './dom.ts'
import { clockTime, duration } from './words.ts'

/** Puts the events of each refresh under one row, which opens and closes them. */
export interface Folds {
  /** Folds the rows of the list again, after some were added or removed. */
  update(): void
  /** The row that shows a row: itself, or the one that it is folded into. */
  shownBy(row: HTMLElement): HTMLElement
  /** The rows that the keyboard passes: what is visible, without the heads of open refreshes. */
  stops(): HTMLElement[]
  /** The newest moment of the refresh of a head; `undefined` for another row. */
  newestOf(head: Element): Moment | undefined
  /** Opens or closes the refresh of a row. */
  open(row: HTMLElement, isOpen: boolean): void
  /** Whether refreshes are folded. */
  on: boolean
}

export interface FoldsOptions {
  /** The list, newest first. */
  readonly list: HTMLElement
  readonly momentOf: (row: Element) => Moment | undefined
  readonly nextId: () => string
  /** Shows the newest moment of a refresh whose head was clicked. */
  readonly look: (moment: Moment) => void
}

/** The rows of one refresh, newest first. */
interface Group {
  readonly rows: readonly HTMLElement[]
  readonly newest: Moment
  readonly oldest: Moment
  /** Why an attempt failed. */
  readonly failure: string | undefined
}

export function createFolds({ list, momentOf, nextId, look }: FoldsOptions): Folds {
  let on = true
  /** The oldest moments of the refreshes that are open. */
  const opened = new WeakSet<Moment>()
  /** The heads of refreshes, by their oldest moments. */
  const heads = new WeakMap<Moment, HTMLElement>()
  /** The refreshes of heads and of their rows. */
  const groups = new WeakMap<Element, Group>()

  function newHead(oldest: Moment): HTMLElement {
    const head = h(
      'li',
      {
        role: 'option',
        'aria-selected': 'false',
        'data-refresh': '',
        'data-category': 'states',
        id: nextId(),
      },
      h('time'),
      h('b', {}),
      h('span', { class: 'details' }),
    )
    head.addEventListener('click', () => {
      open(head, !opened.has(oldest))
      const moment = groups.get(head)?.newest
      if (moment) look(moment)
    })
    heads.set(oldest, head)
    return head
  }

  function update() {
    for (const head of list.querySelectorAll('[data-refresh]')) head.remove()
    const rows = [...list.children] as HTMLElement[]
    for (const row of rows) row.hidden = false
    if (!on) return
    for (const group of groupsOf(rows, momentOf)) {
      const isOpen = opened.has(group.oldest)
      const head = heads.get(group.oldest) ?? newHead(group.oldest)
      const [time, name, details] = head.children
      if (time) setText(time, clockTime(group.newest.at))
      if (name) setText(name, `${isOpen ? '▾' : '▸'} refresh`)
      if (details) setText(details, summaryOf(group))
      setData(head, 'category', group.failure === undefined ? 'states' : 'trouble')
      for (const row of [head, ...group.rows]) groups.set(row, group)
      for (const row of group.rows) row.hidden = !isOpen
      group.rows[0]?.before(head)
    }
  }

  function open(row: HTMLElement, isOpen: boolean) {
    const group = groups.get(row)
    if (!group || opened.has(group.oldest) === isOpen) return
    if (isOpen) opened.add(group.oldest)
    else opened.delete(group.oldest)
    update()
  }

  const isOpenHead = (row: Element) => {
    const group = groups.get(row)
    return group !== undefined && heads.get(group.oldest) === row && opened.has(group.oldest)
  }

  return {
    update,
    open,
    shownBy: (row) => (row.hidden ? (heads.get(groups.get(row)?.oldest as Moment) ?? row) : row),
    stops: () => ([...list.children] as HTMLElement[]).filter((row) => !row.hidden && !isOpenHead(row)),
    newestOf: (head) => (head.hasAttribute('data-refresh') ? groups.get(head)?.newest : undefined),
    get on() {
      return on
    },
    set on(next) {
      on = next
      update()
    },
  }
}

const topOf = (path: unknown) => String(path).split('.')[0]

/** Whether an event begins a refresh: the chart enters `refreshing`. */
const begins = ({ type, facts }: Moment) =>
  type === 'transition' && topOf(facts.to) === 'refreshing' && topOf(facts.from) !== 'refreshing'

/** What still belongs to a refresh after the chart has left `refreshing`. */
const AFTER = ['refreshed', 'requestReleased', 'requestReplayed']

/** What a user has to see at once: it is never folded. */
const ENDS = ['expired', 'signedOut']

const isAfter = ({ type, facts }: Moment) =>
  AFTER.includes(type) || (type === 'transition' && topOf(facts.from) === topOf(facts.to))

const leaves = ({ type, facts }: Moment) =>
  type === 'transition' && topOf(facts.from) === 'refreshing' && topOf(facts.to) !== 'refreshing'

/** The refreshes among some rows. One event alone needs no other row. */
function groupsOf(rows: readonly HTMLElement[], momentOf: FoldsOptions['momentOf']): Group[] {
  const groups: Group[] = []
  let group: { row: HTMLElement; moment: Moment }[] = []
  let left = false

  function end() {
    const moments = group.map(({ moment }) => moment)
    const [oldest, newest] = [moments[0], moments.at(-1)]
    const failed = [...moments].reverse().find(({ type }) => type === 'refreshFailed')
    const failure = failed && String(failed.facts.reason)
    if (oldest && newest && group.length > 1)
      groups.push({ rows: group.map(({ row }) => row).reverse(), oldest, newest, failure })
    group = []
    left = false
  }

  for (const row of [...rows].reverse()) {
    const moment = momentOf(row)
    if (!moment) continue
    if (begins(moment)) end()
    else if (group.length === 0 || ENDS.includes(moment.type)) continue
    if (left && !isAfter(moment)) {
      end()
      continue
    }
    group.push({ row, moment })
    left ||= leaves(moment)
  }
  end()
  return groups
}

/** `generation 1 → 2 in 612 ms, 9 events` */
function summaryOf({ rows, newest, oldest, failure }: Group): string {
  const [before, after] = [oldest.session.generation, newest.session.generation]
  const top = newest.active[0] ?? ''
  const outcome =
    after > before ? `generation ${before} → ${after}` : top === 'refreshing' ? 'running' : `→ ${top}`
  const reason = failure === undefined ? '' : `, ${failure}`
  return `${outcome} in ${duration(newest.seenAt - oldest.seenAt)}${reason}, ${rows.length} events`
}
