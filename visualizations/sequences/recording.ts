/** What happened in a run, in the order it happened, as a Mermaid sequence diagram. */
import type { Auth } from '../../src/index.ts'
import type { TokenServer, TokenServerRequest, VirtualClock } from '../../src/testing/index.ts'

/** Who takes part: how the diagram names them, and what the reader sees. */
export type Participants = Readonly<Record<string, string>>

export interface Recording {
  /** Something said from one to another: `->>` is asked, `-->>` answered, `-x` lost. */
  says(from: string, arrow: '->>' | '-->>' | '-x', to: string, text: string | (() => string)): void
  notes(over: string, text: string): void
  /** Leaves out what happens from now on; returns the way to go on. */
  pause(): () => void
  /** The diagram, as far as it has come. */
  toMermaid(participants: Participants): string
}

export function createRecording(): Recording {
  const lines: (() => string)[] = []
  let paused = false
  const add = (line: () => string) => {
    if (!paused) lines.push(line)
  }
  return {
    // What is known of a message only later is written in later.
    says: (from, arrow, to, text) =>
      add(() => `${from}${arrow}${to}: ${clean(typeof text === 'string' ? text : text())}`),
    notes: (over, text) => add(() => `Note over ${over}: ${clean(text)}`),
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

/** Milliseconds that a message takes: there, and the answer back. */
export interface Delay {
  readonly there: number
  readonly back: number
}

export interface WireOptions {
  readonly clock: VirtualClock
  readonly server: TokenServer
  readonly recording: Recording
  /** Who sends. */
  readonly from: string
  /** How long each path takes. */
  readonly delays: (path: string) => Delay
}

/** A `fetch` over a network where each message takes its time, and none goes unseen. */
export function overWire({ clock, server, recording, from, delays }: WireOptions): typeof fetch {
  const wait = (ms: number) => new Promise<void>((resolve) => void clock.setTimeout(resolve, ms))
  return async (input, init) => {
    const request = new Request(input, init)
    const { pathname } = new URL(request.url)
    const to = pathname.startsWith('/api/') ? 'Api' : 'Token'
    const { there, back } = delays(pathname)
    let seen: TokenServerRequest | undefined
    recording.says(from, '->>', to, () => asked(seen))
    await wait(there)
    const index = server.log.length
    const response = await server.fetch(request)
    seen = server.log[index]
    await wait(back)
    recording.says(to, '-->>', from, answered(seen, response.status))
    return response
  }
}

function asked(request: TokenServerRequest | undefined): string {
  if (!request) return 'lost'
  const { method, path, generation, bodyText } = request
  const token = generation === undefined ? '' : ` with token ${generation}`
  if (path === '/revoke') return `revoke token ${generation}`
  const grant = new URLSearchParams(bodyText).get('grant_type')
  return grant === null ? `${method} ${path}${token}` : `refresh${token}`
}

function answered(request: TokenServerRequest | undefined, status: number): string {
  const renewed = request?.path === '/token' && status === 200
  return renewed ? `200, token ${(request.generation ?? 0) + 1}` : `${request?.path ?? ''} ${status}`.trim()
}

/** Notes where the chart is, and what it tells. Places that are only passed through are left out. */
export function follow(auth: Auth, recording: Recording, name: string): void {
  let place = ''
  auth.actor.subscribe(({ value }) => {
    const now = placeOf(value)
    if (now !== place) recording.notes(name, now)
    place = now
  })
  auth.on('requestHeld', ({ held }) =>
    recording.notes(name, `${held === 1 ? '1 request waits' : `${held} requests wait`}`),
  )
  auth.on('discarded', () => recording.notes(name, 'the late answer is thrown away'))
}

/** What matters to requests: `refreshing, gate open`. */
function placeOf(value: unknown): string {
  if (typeof value === 'string') return value
  const [[top, inner] = ['', '']] = Object.entries(value as Record<string, unknown>)
  const gate = typeof inner === 'object' && inner !== null && 'gate' in inner ? `, gate ${inner.gate}` : ''
  return `${top}${gate}`
}
