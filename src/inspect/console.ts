import { type ConsoleStyle, type Ink, inked, type Part, styleHere } from './console-style.ts'
import type { AuthObserver, InspectionFrame } from './frames.ts'
import { causeOf, changesOf, moveOf, placeOf, toldBy } from './step-text.ts'

/** The part of a console that is written to. */
export type ConsoleLike = Pick<Console, 'log' | 'group' | 'groupCollapsed' | 'groupEnd'>

/** Options of `consoleObserver`. */
export interface ConsoleObserverOptions {
  /** Where to write. Default: the global console. */
  readonly console?: ConsoleLike
  /**
   * `'css'` for a browser's console, `'ansi'` for a terminal, `'plain'` for a file. Default: what there is; a process whose
   * output is no terminal, or with `NO_COLOR` set, gets no colour codes.
   */
  readonly style?: ConsoleStyle
}

type Step = Extract<InspectionFrame, { type: 'snapshot' }>

/**
 * Prints a session to the console: one line for each event that changed something, with what was told and what the chart
 * remembers now folded in below.
 *
 * @returns an observer for `inspectAuth`
 *
 * @example
 * ```ts
 * import { consoleObserver, inspectAuth } from 'authchart/inspect'
 *
 * inspectAuth(auth, consoleObserver())
 * // auth 12:30:00.250 authenticated.renewable → refreshing: exchange.requesting, gate.open, limits.watched session.refresh
 * ```
 */
export function consoleObserver({
  console = globalThis.console,
  style = styleHere(),
}: ConsoleObserverOptions = {}): AuthObserver {
  let name = ''
  let told: string[] = []
  const sources = new Map<string, string>()

  function write(at: number, parts: readonly Part[], below: readonly string[] = []) {
    const time = new Date(at).toISOString().slice(11, 23)
    const line = inked([['name', name], ['quiet', time], ...parts], style)
    if (below.length === 0) return console.log(...line)
    // Nobody can unfold a terminal.
    if (style === 'css') console.groupCollapsed(...line)
    else console.group(...line)
    for (const text of below) console.log(...inked([['quiet', text]], style))
    console.groupEnd()
  }

  function step({ at, event, before, snapshot }: Step) {
    const place = placeOf(snapshot.value)
    const below = told
    told = []
    const cause: Part = ['plain', causeOf(event.type, sources)]
    const changes = () => [...below, ...changesOf(before, snapshot)]
    if (place !== placeOf(before.value)) {
      const [from, to] = moveOf(before.value, snapshot.value)
      const parts: Part[] = [
        [inkOf(placeOf(before.value)), from],
        ['quiet', '→'],
        [inkOf(place), to],
      ]
      write(at, [...parts, cause], changes())
    } else if (below.length > 0) write(at, [[inkOf(place), place], cause], changes())
  }

  return (frame) => {
    switch (frame.type) {
      case 'begin':
        name = frame.name
        return write(frame.at, [[inkOf(placeOf(frame.snapshot.value)), placeOf(frame.snapshot.value)]])
      case 'actor':
        sources.set(frame.id, frame.src)
        return
      case 'emitted': {
        const text = toldBy(frame.event)
        if (text !== undefined) told.push(text)
        return
      }
      case 'snapshot':
        return step(frame)
      case 'end':
        return write(frame.at, [['quiet', 'no longer inspected']])
      default:
        return
    }
  }
}

/** By what becomes of requests. */
function inkOf(place: string): Ink {
  if (/^authenticated|gate\.open/.test(place)) return 'sent'
  if (/^(expired|signingOut)/.test(place)) return 'over'
  return /^(anonymous|loggedOut)/.test(place) ? 'quiet' : 'held'
}
