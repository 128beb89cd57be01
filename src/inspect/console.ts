import { statePath } from '../../machines/state-path.ts'
import { type ConsoleStyle, type Ink, inked, type Part, styleHere } from './console-style.ts'
import { formatCause, formatChanges, formatEmitted, formatMove } from './format-step.ts'
import type { AuthObserver, InspectedSnapshot, InspectionFrame } from './frames.ts'

/** The methods of a console that the observer calls. */
export type ConsoleLike = Pick<Console, 'log' | 'group' | 'groupCollapsed' | 'groupEnd'>

/** Options of `consoleObserver`. */
export interface ConsoleObserverOptions {
  /** Where to write. Default: the global console. */
  readonly console?: ConsoleLike
  /**
   * `'css'` for a browser's console, `'ansi'` for a terminal, `'plain'` for a file. Default: detected. A process that
   * does not write to a terminal, or that has `NO_COLOR` set, gets no colour codes.
   */
  readonly style?: ConsoleStyle
}

type Step = Extract<InspectionFrame, { type: 'snapshot' }>

/**
 * Prints a session to the console: one line for each event that changed something. The emitted events and the changes of the
 * chart's context are folded below it.
 *
 * @returns an observer for `inspectAuth`
 *
 * @example
 * ```ts
 * import { consoleObserver, inspectAuth } from 'authchart/inspect'
 *
 * inspectAuth(auth, consoleObserver())
 * // auth 12:30:00.250 authenticated.refreshable → refreshing: attempt.requesting, gate.open session.refresh
 * ```
 */
export function consoleObserver({
  console = globalThis.console,
  style = styleHere(),
}: ConsoleObserverOptions = {}): AuthObserver {
  let name = ''
  let emitted: string[] = []
  const sources = new Map<string, string>()

  function write(at: number, parts: readonly Part[], below: readonly string[] = []) {
    const time = new Date(at).toISOString().slice(11, 23)
    const line = inked([['name', name], ['quiet', time], ...parts], style)
    if (below.length === 0) return console.log(...line)
    // A terminal cannot unfold a group, so write it unfolded.
    if (style === 'css') console.groupCollapsed(...line)
    else console.group(...line)
    for (const text of below) console.log(...inked([['quiet', text]], style))
    console.groupEnd()
  }

  function step({ at, event, before, snapshot }: Step) {
    const path = statePath(snapshot.value)
    const below = emitted
    emitted = []
    const cause: Part = ['plain', formatCause(event.type, sources)]
    const changes = () => [...below, ...formatChanges(before, snapshot)]
    if (path !== statePath(before.value)) {
      const [from, to] = formatMove(before.value, snapshot.value)
      const parts: Part[] = [
        [inkOf(before), from],
        ['quiet', '→'],
        [inkOf(snapshot), to],
      ]
      write(at, [...parts, cause], changes())
    } else if (below.length > 0) write(at, [[inkOf(snapshot), path], cause], changes())
  }

  return (frame) => {
    switch (frame.type) {
      case 'begin':
        name = frame.name
        return write(frame.at, [[inkOf(frame.snapshot), statePath(frame.snapshot.value)]])
      case 'actor':
        sources.set(frame.id, frame.src)
        return
      case 'emitted': {
        const text = formatEmitted(frame.event)
        if (text !== undefined) emitted.push(text)
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

const INKS: Readonly<Record<string, Ink>> = {
  pass: 'sent',
  hold: 'held',
  anonymous: 'quiet',
  refuse: 'rejected',
}

/** Picks the colour by what happens to requests in the state. */
function inkOf({ tags }: InspectedSnapshot): Ink {
  return tags.map((tag) => INKS[tag]).find((ink) => ink !== undefined) ?? 'plain'
}
