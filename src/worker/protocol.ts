/**
 * The messages between a page and the worker that holds its session. No message to a page can contain a token: only states,
 * public facts, redacted errors and the responses of APIs.
 */
import type { AuthEmitted, ChartContext } from '../../machines/index.ts'
import type { EnvironmentSignal, Session } from '../core/ports.ts'
import type { PackedError } from './packed-error.ts'

/**
 * The protocol version. Increase it with each change that an older side would not understand: after an update of the app, a
 * new page may connect to a worker that an old page started.
 */
export const PROTOCOL = 2

/** Methods of `Auth` that a page calls by message. */
export type Method = 'ready' | 'signIn' | 'signOut' | 'setTokens' | 'refresh'

/** A request, without its body. */
export interface PackedRequest {
  readonly url: string
  readonly method: string
  readonly headers: readonly (readonly [string, string])[]
  readonly mode: RequestMode
  readonly credentials: RequestCredentials
  readonly cache: RequestCache
  readonly redirect: RequestRedirect
  readonly integrity: string
  readonly keepalive: boolean
  readonly referrerPolicy: ReferrerPolicy
  /** Set only if the caller gave one, so that the page's own address is not sent. */
  readonly referrer?: string
}

/** A response, without its body. */
export interface PackedResponse {
  readonly status: number
  readonly statusText: string
  readonly headers: readonly (readonly [string, string])[]
  readonly url: string
  readonly redirected: boolean
  readonly kind: ResponseType
}

/** The chart's state after one of its steps, with the events emitted during that step. */
export interface MirrorStep {
  /** The type of the event that caused the step. */
  readonly event: string
  readonly value: unknown
  /** Its `session` is an empty object here: the ports of a session do not leave the worker. */
  readonly context: ChartContext
  /** Left out if it has not changed; `null` without a session. */
  readonly session?: Session | null
  /** When the session reaches its next limit, in milliseconds since the epoch. */
  readonly endsAt: number | undefined
  readonly emitted: readonly AuthEmitted[]
  /** How many events the chart has emitted in total. */
  readonly seen: number
}

/** The parts of a body, in either direction. The sender sends chunks; the reader requests more with `pull`. */
type BodyMessage =
  | { readonly type: 'chunk'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: 'end'; readonly id: number }
  | { readonly type: 'pull'; readonly id: number; readonly count: number }

export type ToWorker =
  | BodyMessage
  | { readonly type: 'hello'; readonly seen?: number }
  /** The page holds a lock of this name as long as it exists. */
  | { readonly type: 'alive'; readonly lock: string }
  /** The page is being closed. If `returns`, it may come back from the back/forward cache. */
  | { readonly type: 'goodbye'; readonly returns: boolean }
  /** Checks that the worker responds, and requests `endsAt`. */
  | { readonly type: 'ping' }
  | { readonly type: 'call'; readonly id: number; readonly method: Method; readonly argument?: unknown }
  | { readonly type: 'event'; readonly event: string }
  | { readonly type: 'environment'; readonly signal: EnvironmentSignal }
  | {
      readonly type: 'request'
      readonly id: number
      readonly request: PackedRequest
      readonly body?: ArrayBuffer | Blob
      /** Whether the body follows in chunks. */
      readonly streams?: boolean
    }
  | { readonly type: 'abort'; readonly id: number }

export type ToPage =
  | BodyMessage
  /** The response body failed before its end. */
  | { readonly type: 'broken'; readonly id: number; readonly error: PackedError }
  /** The rest of the request body is not needed. */
  | { readonly type: 'cancel'; readonly id: number }
  | {
      readonly type: 'welcome'
      readonly step: MirrorStep
      readonly history: readonly AuthEmitted[]
      /** Whether the worker still processes the earlier calls and requests of this page. */
      readonly known: boolean
    }
  /** The worker uses another protocol version. */
  | { readonly type: 'refused' }
  | { readonly type: 'alive'; readonly lock: string }
  | { readonly type: 'pong'; readonly endsAt: number | undefined }
  | { readonly type: 'closed' }
  /** A message from the page could not be deserialized. */
  | { readonly type: 'garbled' }
  | { readonly type: 'step'; readonly step: MirrorStep }
  /** The result of a call. */
  | { readonly type: 'reply'; readonly id: number; readonly session?: Session; readonly error?: PackedError }
  /** A request failed without a response. */
  | { readonly type: 'failed'; readonly id: number; readonly error: PackedError }
  | {
      readonly type: 'answer'
      readonly id: number
      readonly answer: PackedResponse
      readonly hasBody: boolean
    }

type Fields = Readonly<Record<string, 'number' | 'string' | 'boolean' | 'object'>>
type FieldsOf<Message extends { type: string }> = Readonly<Record<Message['type'], Fields>>

const BODY: FieldsOf<BodyMessage> = {
  chunk: { id: 'number', bytes: 'object' },
  end: { id: 'number' },
  pull: { id: 'number', count: 'number' },
}

/** The required fields of each message, with their types. */
export const TO_WORKER: FieldsOf<ToWorker> = {
  ...BODY,
  hello: {},
  alive: { lock: 'string' },
  goodbye: { returns: 'boolean' },
  ping: {},
  call: { id: 'number', method: 'string' },
  event: { event: 'string' },
  environment: { signal: 'string' },
  request: { id: 'number', request: 'object' },
  abort: { id: 'number' },
}

export const TO_PAGE: FieldsOf<ToPage> = {
  ...BODY,
  broken: { id: 'number', error: 'object' },
  cancel: { id: 'number' },
  welcome: { step: 'object', history: 'object', known: 'boolean' },
  refused: {},
  alive: { lock: 'string' },
  pong: {},
  closed: {},
  garbled: {},
  step: { step: 'object' },
  reply: { id: 'number' },
  failed: { id: 'number', error: 'object' },
  answer: { id: 'number', answer: 'object', hasBody: 'boolean' },
}

/**
 * Marks a message with the protocol version and the name of its page. The version separates it from the app's own messages
 * on the same port. The name separates two pages on one port: a disposed connection and its successor.
 */
export const mark = <Message extends ToWorker | ToPage>(message: Message, page: string) => ({
  ...message,
  page,
  authchart: PROTOCOL,
})

/** Returns the name of the page that a message comes from or goes to. */
export function pageOf(data: unknown): string | undefined {
  const { page } = Object(data) as { page?: unknown }
  return typeof page === 'string' ? page : undefined
}

/** Validates a message. Returns `'other'` for a message of another version, and `undefined` for anything else. */
export function readMessage<Message extends { type: string }>(
  data: unknown,
  fields: FieldsOf<Message>,
): Message | 'other' | undefined {
  if (typeof data !== 'object' || data === null || !('authchart' in data)) return undefined
  if (data.authchart !== PROTOCOL) return 'other'
  const message = data as Record<string, unknown> & Message
  const { type }: { type: unknown } = message
  if (typeof type !== 'string' || !Object.hasOwn(fields, type)) return undefined
  const has = ([name, kind]: [string, string]) => typeof message[name] === kind && message[name] !== null
  return Object.entries(fields[type as Message['type']]).every(has) ? message : undefined
}
