/** Three HTTP clients that share the session. */

import { attachAuth } from 'authchart/axios'
import { createAuthFetch } from 'authchart/fetch'
import { createAuthOfetch } from 'authchart/ofetch'
import axios from 'axios'
import { pageFetch, pageHeaders } from './network.ts'
import { originAdapter } from './origin.ts'
import { createPool } from './pool.ts'
import { auth } from './session.ts'

export const TRANSPORTS = ['fetch', 'ofetch', 'axios'] as const
export type TransportName = (typeof TRANSPORTS)[number]

/** Sends a request, and resolves to the status of the answer. Rejects without an answer. */
export type Send = (path: string) => Promise<number>

/** A browser has six connections per origin. One stays free, so that a button works during a burst of requests. */
const CONNECTIONS = 5

const inTurn = createPool(CONNECTIONS)
const send: typeof fetch = (input, init) => inTurn(() => pageFetch(input, init))

const api = createAuthFetch(auth, { fetch: send })
const { raw } = createAuthOfetch(auth, { fetch: send })
const instance = axios.create({
  adapter: (config) => inTurn(() => originAdapter(config)),
  headers: pageHeaders,
  validateStatus: () => true,
})
attachAuth(instance, auth)

export const transports: Readonly<Record<TransportName, Send>> = {
  async fetch(path) {
    const response = await api(path)
    await response.arrayBuffer()
    return response.status
  },
  async ofetch(path) {
    const { status } = await raw(path, { ignoreResponseError: true, retry: false })
    return status
  },
  async axios(path) {
    const { status } = await instance.get(path)
    return status
  },
}
