/**
 * What a page and the worker its session lives in tell each other. Nothing a page is told can hold a token: states,
 * facts, errors without their secrets, and the answers of APIs.
 */
import type { AuthContext, AuthEmitted } from '../../machines/index.ts'
import type { EnvironmentSignal } from '../core/ports.ts'
import type { Session } from '../core/vault.ts'
import type { PackedError } from './packed-error.ts'

/** Grows with each change that an older side would not understand: an app's update may meet the worker of old pages. */
export const PROTOCOL = 1

/** Members of `Auth` that are called by message. */
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
  /** Only where the caller named one: the page's own address is nobody's business. */
  readonly referrer?: string
}

/** An answer, without its body. */
export interface PackedAnswer {
  readonly status: number
  readonly statusText: string
  readonly headers: readonly (readonly [string, string])[]
  readonly url: string
  readonly redirected: boolean
  readonly kind: ResponseType
}

/** Where the chart stands after one of its steps, and what it said on the way. */
export interface Step {
  /** The type of the event that led there. */
  readonly event: string
  readonly value: unknown
  readonly context: AuthContext
  /** Left out where it is the same as before; `null`: there is none. */
  readonly session?: Session | null
  /** When its limits end the session, as things stand. */
  readonly endsAt: number | undefined
  readonly emitted: readonly AuthEmitted[]
  /** How many events the chart has emitted in all. */
  readonly seen: number
}

/** The parts of a body, in either direction: whoever has it sends chunks, whoever reads it asks for so many more. */
type BodyMessage =
  | { readonly type: 'chunk'; readonly id: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly type: 'end'; readonly id: number }
  | { readonly type: 'pull'; readonly id: number; readonly count: number }

export type ToWorker =
  | BodyMessage
  | { readonly type: 'hello'; readonly seen?: number }
  /** The page holds a lock of that name for as long as it lives. */
  | { readonly type: 'alive'; readonly lock: string }
  /** The page is going; `returns`: perhaps for a while only. */
  | { readonly type: 'goodbye'; readonly returns: boolean }
  /** Asks whether the worker is there, and when the session ends. */
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
  /** The body of the answer breaks off. */
  | { readonly type: 'broken'; readonly id: number; readonly error: PackedError }
  /** Nobody wants the rest of the request's body. */
  | { readonly type: 'cancel'; readonly id: number }
  | {
      readonly type: 'welcome'
      readonly step: Step
      readonly history: readonly AuthEmitted[]
      /** Whether what the page asked before is still under way. */
      readonly known: boolean
    }
  /** The worker speaks another version. */
  | { readonly type: 'refused' }
  | { readonly type: 'alive'; readonly lock: string }
  | { readonly type: 'pong'; readonly endsAt: number | undefined }
  | { readonly type: 'closed' }
  /** A message of the page's could not be read. */
  | { readonly type: 'garbled' }
  | { readonly type: 'step'; readonly step: Step }
  /** To a call. */
  | { readonly type: 'reply'; readonly id: number; readonly session?: Session; readonly error?: PackedError }
  /** A request got no answer. */
  | { readonly type: 'failed'; readonly id: number; readonly error: PackedError }
  | {
      readonly type: 'answer'
      readonly id: number
      readonly answer: PackedAnswer
      readonly hasBody: boolean
    }

type Fields = Readonly<Record<string, 'number' | 'string' | 'boolean' | 'object'>>
type FieldsOf<Message extends { type: string }> = Readonly<Record<Message['type'], Fields>>

const BODY: FieldsOf<BodyMessage> = {
  chunk: { id: 'number', bytes: 'object' },
  end: { id: 'number' },
  pull: { id: 'number', count: 'number' },
}

/** What each message must have to be one. */
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
 * Marks a message, so that an app may say things of its own over the same port, and with the page it comes from or goes to, for
 * there may be two at one port: one that was disposed of, and the one that came after it.
 */
export const mark = <Message extends ToWorker | ToPage>(message: Message, page: string) => ({
  ...message,
  page,
  authchart: PROTOCOL,
})

/** The page that a message comes from or goes to. */
export function pageOf(data: unknown): string | undefined {
  const { page } = Object(data) as { page?: unknown }
  return typeof page === 'string' ? page : undefined
}

/** Reads a message; anything else is `undefined`. `'other'`: it is one, of another version. */
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
