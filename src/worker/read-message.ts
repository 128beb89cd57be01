import { instance, integer, list, type Parser, pair, parsed, record, text } from './parse.ts'
import { PROTOCOL } from './protocol.ts'

/** The longest name, in UTF-16 code units. */
const SHORT = 256
/** The longest URL, header value or other text of a request. Browsers limit all headers together to 256 kB. */
const LONG = 262_144
/** How many headers a request or a response may have. */
const HEADERS = 1_000
/** How many chunks a reader may request with one message. */
const CHUNKS = 64

/** Parsers of what messages in both directions contain. Functions, so that a page does not bundle what only workers need. */
export const id = /* @__PURE__ */ integer(0, Number.MAX_SAFE_INTEGER)
export const name = /* @__PURE__ */ text(SHORT)
export const long = /* @__PURE__ */ text(LONG)
export const headers = /* @__PURE__ */ list(/* @__PURE__ */ pair(long), HEADERS)

export const bodyMessages = () => ({
  chunk: record({ id, bytes: instance<Uint8Array<ArrayBuffer>>(Uint8Array) }),
  end: record({ id }),
  pull: record({ id, count: integer(1, CHUNKS) }),
})

/** A parser for each type of message. */
export type MessageParsers<Message extends { type: string }> = {
  readonly [Type in Message['type']]: Parser<Omit<Extract<Message, { type: Type }>, 'type'>>
}

/** A message of a known type about a known id that cannot be read. Whatever waits for that id must not wait longer. */
export class Unreadable {
  readonly of: string
  readonly id: number

  constructor(of: string, id: number) {
    this.of = of
    this.id = id
  }
}

/** Returns the name of the page that a message comes from or goes to. */
export const pageOf = (data: unknown): string | undefined => parsed(record({ page: name }), data)?.page

/** Parses a message. Returns `'other'` for a message of another version, and `undefined` for anything else. */
export type ReadMessage<Message> = (data: unknown) => Message | Unreadable | 'other' | undefined

export function createReader<Message extends { type: string }>(
  parsers: MessageParsers<Message>,
): ReadMessage<Message> {
  const version = record({ authchart: integer(0, Number.MAX_SAFE_INTEGER) })
  const kind = record({ type: name })
  const about = record({ id })
  return (data) => {
    const protocol = parsed(version, data)?.authchart
    if (protocol === undefined) return undefined
    if (protocol !== PROTOCOL) return 'other'
    const type = parsed(kind, data)?.type
    if (type === undefined || !Object.hasOwn(parsers, type)) return undefined
    const message = parsed(parsers[type as Message['type']] as Parser<object>, data)
    if (message) return { type, ...message } as unknown as Message
    const known = parsed(about, data)
    return known && new Unreadable(type, known.id)
  }
}
