import type { TransportClient, TransportRequest } from './types.ts'
import { begun } from './waits.ts'

/** An answer, as scenarios use it. */
export interface Answer {
  readonly status: number
  readonly givenAs: string | undefined
  /** The body: parsed if it is JSON, otherwise as text; `undefined` if it is empty. */
  readonly json: unknown
}

type Init = Omit<TransportRequest, 'method' | 'body'>

/** The client under test, with shortcuts for scenarios. */
export interface Client {
  get(path: string, init?: Init): Promise<Answer>
  post(path: string, body: TransportRequest['body'], init?: Init): Promise<Answer>
  request(path: string, request: TransportRequest): Promise<Answer>
}

const parse = (body: unknown): unknown => {
  if (typeof body !== 'string') return body
  if (body === '') return undefined
  try {
    return JSON.parse(body)
  } catch {
    return body
  }
}

const send = async (client: TransportClient, path: string, init: TransportRequest): Promise<Answer> => {
  const { status, body, givenAs } = await client.request(path, init)
  return { status, givenAs, json: parse(body) }
}

export const clientFor = (client: TransportClient): Client => {
  const request: Client['request'] = (path, init) => begun(send(client, path, init))
  return {
    request,
    get: (path, init) => request(path, { ...init, method: 'GET' }),
    post: (path, body, init) =>
      request(path, { ...init, method: 'POST', ...(body !== undefined && { body }) }),
  }
}
