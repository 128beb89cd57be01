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

/** A request, without its body. A field that is missing has the default of `fetch`. */
export interface PackedRequest {
  /** The absolute URL, as the page resolved it. */
  readonly url: string
  readonly headers: readonly (readonly [string, string])[]
  readonly method?: string | undefined
  readonly mode?: Exclude<RequestMode, 'navigate'> | undefined
  readonly credentials?: RequestCredentials | undefined
  readonly cache?: RequestCache | undefined
  readonly redirect?: RequestRedirect | undefined
  readonly integrity?: string | undefined
  readonly keepalive?: boolean | undefined
  readonly referrerPolicy?: ReferrerPolicy | undefined
  /** Set only if the caller gave one, so that the page's own address is not sent. */
  readonly referrer?: string | undefined
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
  /** The worker does not know this page, or not any more: the page has to send its greeting. */
  | { readonly type: 'unknown' }
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

/**
 * Marks a message with the protocol version and the name of its page. The version separates it from the app's own messages
 * on the same port. The name separates two pages on one port: a disposed connection and its successor.
 */
export const mark = <Message extends ToWorker | ToPage>(message: Message, page: string) => ({
  ...message,
  page,
  authchart: PROTOCOL,
})
