/** The script of each page: bundled, served, and called by name from the tests. */
import axios from 'axios'
import { AuthError, createAuth } from '../../src/index.ts'
import { webStorage } from '../../src/storage/web.ts'
import { attachAuth } from '../../src/transports/axios.ts'
import { createAuthFetch } from '../../src/transports/fetch.ts'
import { createAuthOfetch } from '../../src/transports/ofetch.ts'
import { type ConnectAuthOptions, connectAuth } from '../../src/worker/index.ts'
import type { WorkerSettings } from './worker-script.ts'

interface User {
  readonly username: string
  readonly password?: string
}

export interface PageOptions extends ConnectAuthOptions {
  /** Uses a dedicated worker. */
  readonly dedicated?: boolean
  /** The script of the worker, instead of the usual one. */
  readonly script?: string
  /** Whether a new worker is created if the worker ends. */
  readonly again?: boolean
}

type Auth = ReturnType<typeof connectAuth<User>>

function clients(auth: Auth, origins: string[]) {
  const http = axios.create({ validateStatus: () => true })
  attachAuth(http, auth, { origins })
  return { auth, api: createAuthFetch(auth, { origins }), ofetch: createAuthOfetch(auth, { origins }), http }
}

let worker: SharedWorker | Worker
let kept: unknown
let made = 0

/** Converts a thrown value for comparison in a test. */
const serializeError = (error: unknown) => {
  const { name, code, reason, message } = error as AuthError
  return { name, code, reason, message, own: error instanceof AuthError }
}

export const page = {
  /** Connects to the worker, and returns the state before its first message. */
  connect(
    settings: WorkerSettings,
    { dedicated = false, again = false, script = '/worker.js', ...options }: PageOptions = {},
  ) {
    const url = `${script}?settings=${encodeURIComponent(JSON.stringify(settings))}`
    const make = () => {
      made++
      worker = dedicated
        ? new Worker(url, { type: 'module' })
        : new SharedWorker(url, { type: 'module', name: 'auth' })
      return worker
    }
    // An app may put them on `window`.
    Object.assign(globalThis, clients(connectAuth<User>(again ? make : make(), options), [settings.api]))
    return auth.state
  },

  /** Creates a session on the page itself, with a store that any script can read. */
  openHere({ api: server }: WorkerSettings) {
    const post = async (fields: Record<string, string>) => {
      const response = await fetch(`${server}/token`, { method: 'POST', body: new URLSearchParams(fields) })
      return response.json()
    }
    const own = createAuth<User>({
      storage: webStorage(() => localStorage),
      signIn: ({ username }) => post({ grant_type: 'password', username, password: 'correct' }),
      refresh: ({ refreshToken = '' }) => post({ grant_type: 'refresh_token', refresh_token: refreshToken }),
    })
    Object.assign(globalThis, clients(own, [server]))
  },

  /** The outcome of a promise. */
  outcome: <T>(promise: Promise<T>) =>
    promise.then(
      (value) => ({ value }),
      (error) => ({ error: serializeError(error) }),
    ),
  serializeError,
  /** Saves a value for a later call. */
  keep(value: unknown) {
    kept = value
    // Its outcome is checked later.
    if (value instanceof Promise) value.catch(() => {})
  },
  kept: () => kept as never,
  /** Sends a message of the app to the worker, which the session ignores. */
  say(message: unknown) {
    const port = 'port' in worker ? worker.port : worker
    port.postMessage(message)
  },
  worker: () => worker,
  /** How many workers this page has created. */
  made: () => made,
}

declare global {
  var auth: Auth
  var api: typeof fetch
  var ofetch: ReturnType<typeof createAuthOfetch>
  var http: ReturnType<typeof axios.create>
}

Object.assign(globalThis, { page })
