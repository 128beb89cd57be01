/** Reads frames from a Chromium trace. */

interface TraceEvent {
  readonly name: string
  readonly ph: string
  /** Microseconds. */
  readonly ts: number
  readonly dur?: number
  readonly args?: { readonly frame_reporter?: FrameReport; readonly chrome_frame_reporter?: FrameReport }
}

interface FrameReport {
  readonly state?: string
  readonly frame_sequence?: number
  readonly layer_tree_host_id?: number
}

export interface Frames {
  readonly seconds: number
  /** How many frames were due, and how many of them were presented. */
  readonly due: number
  readonly presented: number
  /** The median time between two frames, in milliseconds. */
  readonly apart: number
  /** Work of the page's main thread for a frame, in milliseconds: the median and the 99th percentile. */
  readonly median: number
  readonly slowest: number
}

/** The trace categories that `framesOf` needs. */
export const CATEGORIES = [
  'cc',
  'benchmark',
  'devtools.timeline',
  'disabled-by-default-devtools.timeline.frame',
]

export function framesOf(trace: Buffer): Frames {
  const { traceEvents }: { readonly traceEvents: readonly TraceEvent[] } = JSON.parse(trace.toString('utf8'))
  const reports = traceEvents.filter(({ name, ph }) => name === 'PipelineReporter' && ph === 'b')
  // The trace reports a frame twice: for what the page drew, and for what the compositor moved.
  const frames = new Map<string, { begun: number; presented: boolean }>()
  for (const { ts, args } of reports) {
    const {
      state = '',
      frame_sequence,
      layer_tree_host_id,
    } = args?.frame_reporter ?? args?.chrome_frame_reporter ?? {}
    if (state === 'STATE_NO_UPDATE_DESIRED') continue
    const key = `${layer_tree_host_id} ${frame_sequence}`
    const { begun = ts / 1000, presented = false } = frames.get(key) ?? {}
    frames.set(key, { begun, presented: presented || state.startsWith('STATE_PRESENTED') })
  }
  const times = [...frames.values()].map(({ begun }) => begun).sort(byNumber)
  const pauses = times.slice(1).map((time, index) => time - (times[index] ?? time))
  const work = traceEvents
    .filter(({ name, dur }) => name === 'ProxyMain::BeginMainFrame' && dur !== undefined)
    .map(({ dur = 0 }) => dur / 1000)
    .sort(byNumber)
  return {
    seconds: ((times.at(-1) ?? 0) - (times[0] ?? 0)) / 1000,
    apart: pauses.sort(byNumber)[Math.floor(pauses.length / 2)] ?? 0,
    due: frames.size,
    presented: [...frames.values()].filter(({ presented }) => presented).length,
    median: work[Math.floor(work.length / 2)] ?? 0,
    slowest: work[Math.floor(work.length * 0.99)] ?? 0,
  }
}

const byNumber = (one: number, other: number) => one - other
