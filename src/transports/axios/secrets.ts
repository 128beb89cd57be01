import type { AxiosResponse } from 'axios'
import { type Config, removeAuthorization } from './config.ts'

/** What has to be kept out of logs after a sending. */
export interface Sending {
  /** The caller's config: responses and errors get it instead of the one that was sent. */
  readonly config: Config
  /** The header that was sent. */
  readonly authorization: string | undefined
}

/** How many objects of an error are searched, and how many causes. */
const SEARCHED = 500
const CAUSES = 10

/** The fields of a response without its request. An adapter of the app may add others. */
const RESPONSE_FIELDS = 5

type Holder = Record<PropertyKey, unknown>

const isObject = (value: unknown): value is Holder => typeof value === 'object' && value !== null

/** Makes sure that nothing enumerable of a response leads to the header: responses get logged. */
export function concealResponse(response: AxiosResponse, sending: Sending): void {
  const holder: Holder = response as never
  restoreConfig(holder, sending)
  const { data, request } = response
  if (isObject(data) && !(data instanceof ArrayBuffer)) concealStream(data, request, sending)
  if (request !== undefined) hide(holder, 'request')
  if (Object.keys(response).length > RESPONSE_FIELDS) hideQuotes(holder, sending)
}

/** Makes sure that nothing enumerable of an error leads to the header, of whatever class the error is. */
export function concealError(error: unknown, sending: Sending): void {
  let holder = error
  for (let i = 0; isObject(holder) && i < CAUSES; i++) {
    restoreConfig(holder, sending)
    if (isObject(holder.response)) concealResponse(holder.response as never, sending)
    if (holder.request !== undefined) hide(holder, 'request')
    if (Array.isArray(holder.errors)) for (const inner of holder.errors) concealError(inner, sending)
    hideQuotes(holder, sending)
    holder = holder.cause
  }
}

/** The config that was sent has no header any more, and what the adapter has added to the headers is the caller's to see. */
function restoreConfig(holder: Holder, { config, authorization }: Sending): void {
  const sent: unknown = holder.config
  if (sent === config || !isObject(sent)) return
  if (isObject(sent.headers)) {
    removeAuthorization(sent.headers, authorization)
    config.headers = sent.headers as never
  }
  holder.config = config
}

/**
 * A stream leads to its request, and may fail later with an error that does. A Node stream shows its error here before the app
 * gets it. A web stream does not, so its request loses the header.
 */
function concealStream(data: Holder, request: unknown, sending: Sending): void {
  for (const name of ['req', 'client', 'socket']) if (name in data) hide(data, name)
  const { errorMonitor } = (data.constructor ?? {}) as { errorMonitor?: symbol }
  if (typeof errorMonitor === 'symbol' && typeof data.on === 'function')
    data.on(errorMonitor, (error: unknown) => concealError(error, sending))
  else if ('getReader' in data && request instanceof Request) request.headers.delete('authorization')
}

/** Keeps a property out of logs. It can still be read. */
function hide(holder: Holder, name: PropertyKey): void {
  const value = holder[name]
  Reflect.defineProperty(holder, name, { value, enumerable: false, configurable: true, writable: true })
}

/** Hides the properties that an adapter of the app has added, if they quote the header. */
function hideQuotes(holder: Holder, { config, authorization }: Sending): void {
  if (authorization === undefined) return
  const searched = new Set<unknown>([config, holder, holder.response, holder.data])
  for (const key of Reflect.ownKeys(holder)) {
    const { enumerable, value } = Object.getOwnPropertyDescriptor(holder, key) ?? {}
    if (enumerable && quotes(value, authorization, searched)) hide(holder, key)
  }
}

/** Whether a value contains the text. One that is too large to be searched counts as one that does. */
function quotes(value: unknown, text: string, searched: Set<unknown>): boolean {
  if (typeof value === 'string') return value.includes(text)
  if (!isObject(value) || ArrayBuffer.isView(value) || searched.has(value)) return false
  if (searched.size > SEARCHED) return true
  searched.add(value)
  if (value instanceof Headers) return value.get('authorization') === text
  return Reflect.ownKeys(value).some((key) =>
    quotes(Object.getOwnPropertyDescriptor(value, key)?.value, text, searched),
  )
}
