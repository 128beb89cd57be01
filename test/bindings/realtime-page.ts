/** The scenarios that run inside the page, called by name from the tests. */
import { type Auth, createAuth } from 'authchart'
import { type ConnectionRequest, keepConnected } from 'authchart/realtime'
import { tokens } from './tokens.ts'

export type How = 'socket' | 'events' | 'stream'

/** Received messages and open connections of the page. */
const received: string[] = []
const opened: (WebSocket | EventSource)[] = []
/** Whether a connection was still open when the next one was created. */
let overlapped = false
let auth: Auth
let stop = () => {}

function track<T extends WebSocket | EventSource>(connection: T): T {
  overlapped ||= opened.some(({ readyState }) => readyState < 2)
  opened.push(connection)
  connection.addEventListener('message', (event) => received.push((event as MessageEvent<string>).data))
  return connection
}

const ways = {
  socket: (url: string) => (request: ConnectionRequest) =>
    track(new WebSocket(url.replace('http', 'ws'), ['bearer', request.accessToken])),
  events: (url: string) => () => track(new EventSource(url, { withCredentials: true })),
  stream:
    (url: string) =>
    async ({ accessToken, signal }: ConnectionRequest) => {
      const response = await fetch(url, { headers: { authorization: `Bearer ${accessToken}` }, signal })
      if (!response.body) throw response
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
      for (let part = await reader.read(); !part.done; part = await reader.read())
        received.push(part.value.trim())
    },
}

export const scenarios = {
  start(how: How, url: string) {
    let generation = 1
    auth = createAuth({
      initialTokens: tokens('ada'),
      refresh: () => tokens(auth.session?.subject ?? '', ++generation),
    }) as Auth
    stop = keepConnected(auth, ways[how](url), { retry: { minDelay: 20, maxDelay: 40 } })
  },
  refresh: () => auth.refresh().then(() => {}),
  switchTo: (subject: string) => auth.setTokens(tokens(subject)).then(() => {}),
  /** Signs out, and returns the connections that are open at that moment. */
  signOut() {
    void auth.signOut()
    return opened.filter(({ readyState }) => readyState < 2).length
  },
  stop: () => stop(),
  seen: () => ({ received, overlapped, made: opened.length }),
}

Object.assign(globalThis, { scenarios })
