/** Records a run as a Mermaid sequence diagram. */
import { statePaths } from '../../machines/index.ts'
import type { Auth } from '../../src/index.ts'
import type { TokenServer, TokenServerRequest } from '../../src/testing/token-server/token-server.ts'
import type { VirtualClock } from '../../src/testing/virtual-clock.ts'

/** The participants: their ids in the diagram, and their visible names. */
export type Participants = Readonly<Record<string, string>>

export interface Recording {
  /** Adds a message: `->>` is a request, `-->>` an answer, `-x` a lost message. */
  message(from: string, arrow: '->>' | '-->>' | '-x', to: string, text: string | (() => string)): void
  /** Adds a note over a participant. */
  note(over: string, text: string): void
  /** Stops recording; returns a function that resumes it. */
  pause(): () => void
  /** Returns the diagram so far. */
  toMermaid(participants: Participants): string
}

export function createRecording(): Recording {
  const lines: (() => string)[] = []
  let paused = false
  const add = (line: () => string) => {
    if (!paused) lines.push(line)
  }
  return {
    // A text may be known only later, so it can be a function.
    message: (from, arrow, to, text) =>
      add(() => `${from}${arrow}${to}: ${clean(typeof text === 'string' ? text : text())}`),
    note: (over, text) => add(() => `Note over ${over}: ${clean(text)}`),
    pause() {
      paused = true
      return () => {
        paused = false
      }
    },
    toMermaid(participants) {
      const heads = Object.entries(participants).map(([id, name]) => `participant ${id} as ${name}`)
      return [
        'sequenceDiagram',
        ...[...heads, ...lines.map((line) => line())].map((line) => `  ${line}`),
        '',
      ].join('\n')
    },
  }
}

/** Mermaid ends a statement at a semicolon. */
function clean(text: string): string {
  return text.replaceAll(';', ',')
}

/** The latency of a request and of its answer, in milliseconds. */
export interface Delay {
  readonly there: number
  readonly back: number
}

export interface WireOptions {
  readonly clock: VirtualClock
  readonly server: TokenServer
  readonly recording: Recording
  /** The id of the participant that sends. */
  readonly from: string
  /** The latency of each path. */
  readonly delays: (path: string) => Delay
}

/** Creates a `fetch` over a network with latency. Every message is recorded. */
export function overWire({ clock, server, recording, from, delays }: WireOptions): typeof fetch {
  const wait = (ms: number) => new Promise<void>((resolve) => void clock.setTimeout(resolve, ms))
  return async (input, init) => {
    const request = new Request(input, init)
    const { pathname } = new URL(request.url)
    const to = pathname.startsWith('/api/') ? 'Api' : 'Token'
    const { there, back } = delays(pathname)
    let seen: TokenServerRequest | undefined
    recording.message(from, '->>', to, () => requestText(seen))
    await wait(there)
    const index = server.log.length
    const response = await server.fetch(request)
    seen = server.log[index]
    await wait(back)
    recording.message(to, '-->>', from, answerText(seen, response.status))
    return response
  }
}

function requestText(request: TokenServerRequest | undefined): string {
  if (!request) return 'lost'
  const { method, path, generation, bodyText } = request
  const token = generation === undefined ? '' : ` with token ${generation}`
  if (path === '/revoke') return `revoke token ${generation}`
  const grant = new URLSearchParams(bodyText).get('grant_type')
  return grant === null ? `${method} ${path}${token}` : `refresh${token}`
}

function answerText(request: TokenServerRequest | undefined, status: number): string {
  const refreshed = request?.path === '/token' && status === 200
  return refreshed ? `200, token ${(request.generation ?? 0) + 1}` : `${request?.path ?? ''} ${status}`.trim()
}

/** Adds notes for states of the chart, and for events that it emits. */
export function follow(auth: Auth, recording: Recording, name: string): void {
  let last = ''
  auth.actor.subscribe(({ value }) => {
    const label = stateLabel(value)
    if (label !== last) recording.note(name, label)
    last = label
  })
  auth.on('requestHeld', ({ held }) =>
    recording.note(name, `${held === 1 ? '1 request waits' : `${held} requests wait`}`),
  )
  auth.on('discarded', () => recording.note(name, 'the late answer is discarded'))
}

/** Names the parts of a state that matter to requests: `refreshing, gate open`. */
function stateLabel(value: unknown): string {
  const [top = '', ...inner] = statePaths(value)
  const prefix = `${top}.gate.`
  const gate = inner.find((path) => path.startsWith(prefix))
  return gate === undefined ? top : `${top}, gate ${gate.slice(prefix.length)}`
}
