import axios from 'axios'
import type { AuthHandle } from '../../src/index.ts'
import { attachAuth } from '../../src/transports/axios.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'

/** Sends a request: a POST if there is a note, otherwise a GET. */
export type Send = (path: string, note?: object) => Promise<{ status: number; data: unknown }>

/** Creates three clients of one session. */
export function createClients(auth: AuthHandle, baseURL: string) {
  const authFetch = createAuthFetch(auth, { origins: [baseURL] })
  const authOfetch = createAuthOfetch(auth, { defaults: { baseURL, ignoreResponseError: true } })
  const authAxios = axios.create({ baseURL, validateStatus: () => true })
  attachAuth(authAxios, auth)

  return {
    async fetch(path, note) {
      const response = await authFetch(baseURL + path, note && { method: 'POST', body: JSON.stringify(note) })
      return { status: response.status, data: response.ok && (await response.json()) }
    },
    async ofetch(path, note) {
      const { status, _data: data } = await authOfetch.raw(path, note && { method: 'POST', body: note })
      return { status, data }
    },
    axios: (path, note) => (note ? authAxios.post(path, note) : authAxios.get(path)),
  } satisfies Record<string, Send>
}

/** The results of one client's requests. */
export interface Tally {
  sent: number
  succeeded: number
  /** 401s that reached the app. */
  unauthorized: number
  /** Every request that did not succeed, in words. */
  failures: string[]
  /** Milliseconds from the call to the answer, waiting included. */
  latencies: number[]
}

/** Sends requests through all clients at once, and counts the results. */
export function createLoad(clients: Readonly<Record<string, Send>>) {
  const names = Object.keys(clients)
  const tallies = Object.fromEntries([...names, 'all'].map((name) => [name, newTally()]))
  const all = tallies.all!
  let serial = 0

  async function send(name: string, path: string, note?: object) {
    const both = [tallies[name]!, all]
    const count = (what: 'sent' | 'succeeded' | 'unauthorized') => {
      for (const tally of both) tally[what]++
    }
    const fail = (how: unknown) => all.failures.push(`${name} ${path}: ${how}`)
    const began = performance.now()
    count('sent')
    try {
      const { status, data } = await clients[name]!(path, note)
      const { path: asked, body } = (data || {}) as { path?: string; body?: string }
      if (status === 401) count('unauthorized')
      if (asked === path && body === (note ? JSON.stringify(note) : '')) count('succeeded')
      else fail(`${status} ${JSON.stringify(data)}`)
    } catch (error) {
      fail(error)
    }
    for (const tally of both) tally.latencies.push(performance.now() - began)
  }

  return {
    /** The results by client, and for `all` of them. */
    tallies,

    /** Sends `atOnce` requests at the same time, evenly through all clients. Every fourth posts a note. */
    async wave(atOnce: number) {
      const requests = Array.from({ length: atOnce }, (_, index) => {
        const id = serial++
        return send(
          names[index % names.length]!,
          `/notes/${id}`,
          id % 4 === 0 ? { id, text: 'Grüße 👋' } : undefined,
        )
      })
      await Promise.all(requests)
    },

    /** Sends one request through each client that takes the API longer than the token lives. */
    async reports() {
      await Promise.all(names.map((name) => send(name, `/reports/${name}-${serial++}`)))
    },
  }
}

/** The error of a request that was expected to fail. */
export interface Rejection {
  readonly name: string
  readonly message: string
  readonly reason?: string
}

/** Sends one request through each client and expects it to fail. */
export async function rejections(clients: Readonly<Record<string, Send>>) {
  const rejected = Object.entries(clients).map(([client, send]) =>
    send('/notes/last').then(
      ({ status }): [string, Rejection] => [client, { name: 'none', message: `answered ${status}` }],
      ({ name, message, reason }): [string, Rejection] => [client, { name, message, reason }],
    ),
  )
  return Object.fromEntries(await Promise.all(rejected))
}

const newTally = (): Tally => ({ sent: 0, succeeded: 0, unauthorized: 0, failures: [], latencies: [] })

export type Load = ReturnType<typeof createLoad>
