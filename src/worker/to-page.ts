import type { AuthEmitted } from '../../machines/index.ts'
import type { Session } from '../core/ports.ts'
import type { PackedError } from './packed-error.ts'
import {
  anything,
  either,
  flag,
  integer,
  list,
  nullable,
  number,
  object,
  oneOf,
  optional,
  type Parser,
  parsed,
  record,
  text,
} from './parse.ts'
import type { ToPage } from './protocol.ts'
import { bodyMessages, headers, id, long, type MessageParsers, name } from './read-message.ts'

/** How many events a message may contain. */
const EVENTS = 100_000
/** The longest body of an error response, in UTF-16 code units. */
const BODY = 1_048_576
/** How deeply the causes of an error may be nested. */
const CAUSES = 8

/** Parsers of the messages that a page receives. */
export function toPageParsers(): MessageParsers<ToPage> {
  const identified = record({ generation: number, epoch: number })
  /** Only the app can judge claims, so a session is checked and not copied. */
  const session: Parser<Session> = (value) => identified(value) && (value as Session)
  const typed = record({ type: name })
  const event: Parser<AuthEmitted> = (value) => typed(value) && (value as AuthEmitted)
  const events = list(event, EVENTS)
  const step = record({
    event: name,
    value: either(name as Parser<unknown>, object),
    context: object,
    session: optional(nullable(session)),
    endsAt: optional(number),
    emitted: events,
    seen: id,
  })
  const error = errorParser(CAUSES)
  /** An error that cannot be read is an error all the same. */
  const readError: Parser<PackedError> = (value) =>
    parsed(error, value) ?? { kind: 'auth', code: 'worker_failed', reason: 'garbled' }
  const lock = record({ lock: name })
  const parsers = {
    ...bodyMessages(),
    broken: record({ id, error: readError }),
    cancel: record({ id }),
    welcome: record({ step, history: events, known: flag }),
    refused: record({}),
    alive: lock,
    pong: record({ endsAt: optional(number) }),
    closed: record({}),
    garbled: record({}),
    unknown: record({}),
    step: record({ step }),
    reply: record({
      id,
      session: optional(session),
      error: (value: unknown) => (value === undefined ? undefined : readError(value)),
    }),
    failed: record({ id, error: readError }),
    answer: record({
      id,
      answer: record({
        status: integer(0, 999),
        statusText: long,
        headers,
        url: long,
        redirected: flag,
        kind: oneOf('basic', 'cors', 'default', 'error', 'opaque', 'opaqueredirect'),
      }),
      hasBody: flag,
    }),
  }
  return parsers as unknown as MessageParsers<ToPage>
}

function errorParser(depth: number): Parser<PackedError> {
  const cause: Parser<PackedError | undefined> = (value) =>
    value === undefined || depth === 0 ? undefined : errorParser(depth - 1)(value)
  const kinds = {
    auth: record({
      code: name,
      reason: optional(name),
      detail: optional(either(name as Parser<string | number>, number)),
      cause,
    }),
    error: record({ name, message: optional(long), fields: optional(object), cause }),
    response: record({ status: integer(200, 599), statusText: long, headers, body: text(BODY) }),
    value: record({ value: anything }),
  }
  const kindOf = record({ kind: oneOf('auth', 'error', 'response', 'value') })
  return (value) => {
    const { kind } = kindOf(value)
    return { kind, ...kinds[kind](value) } as unknown as PackedError
  }
}
