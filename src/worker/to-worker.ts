import { anything, either, flag, instance, integer, oneOf, optional, type Parser, record } from './parse.ts'
import type { PackedRequest, ToWorker } from './protocol.ts'
import { bodyMessages, headers, id, long, type MessageParsers, name } from './read-message.ts'

/** Parsers of the messages that a worker receives. */
export function toWorkerParsers(): MessageParsers<ToWorker> {
  const request: Parser<PackedRequest> = record({
    url: long,
    headers,
    method: optional(name),
    mode: optional(oneOf('cors', 'same-origin', 'no-cors')),
    credentials: optional(oneOf('same-origin', 'include', 'omit')),
    cache: optional(oneOf('default', 'force-cache', 'no-cache', 'no-store', 'only-if-cached', 'reload')),
    redirect: optional(oneOf('follow', 'error', 'manual')),
    integrity: optional(long),
    keepalive: optional(flag),
    referrerPolicy: optional(
      oneOf(
        '',
        'no-referrer',
        'no-referrer-when-downgrade',
        'origin',
        'origin-when-cross-origin',
        'same-origin',
        'strict-origin',
        'strict-origin-when-cross-origin',
        'unsafe-url',
      ),
    ),
    referrer: optional(long),
  })
  const parsers = {
    ...bodyMessages(),
    hello: record({ seen: optional(integer(0, Number.MAX_SAFE_INTEGER)) }),
    alive: record({ lock: name }),
    goodbye: record({ returns: flag }),
    ping: record({}),
    call: record({
      id,
      method: oneOf('ready', 'signIn', 'signOut', 'setTokens', 'refresh'),
      argument: anything,
    }),
    event: record({ event: name }),
    environment: record({ signal: oneOf('online', 'offline', 'visible', 'wake') }),
    request: record({
      id,
      request,
      body: optional(either(instance(ArrayBuffer), instance(Blob))),
      streams: optional(flag),
    }),
    abort: record({ id }),
  }
  return parsers as MessageParsers<ToWorker>
}
