import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { TokenServerOptions } from '../../src/testing/token-server/options.ts'
import { createTokenServer, type TokenServer } from '../../src/testing/token-server/token-server.ts'
import { launchBrowser, launchPlainBrowser } from '../support/browsers/launch.ts'
import type { Profile, Tab } from '../support/browsers/tab.ts'
import { openTab } from '../support/browsers/until.ts'
import { bundlePage } from '../support/bundle-page.ts'
import { listen } from '../support/listen.ts'
import { createSite } from '../support/site.ts'
import type { WorkerSettings } from './worker-script.ts'

declare global {
  var page: typeof import('./worker-page.ts').page
}

/** A response body that the test sends in chunks. */
export interface ServedStream {
  write(text: string): void
  end(): void
  /** Breaks the connection. */
  drop(): void
  /** Resolves when the client has closed the connection. */
  readonly gone: Promise<void>
}

/** Scripts of broken workers, by path. */
const BROKEN: Readonly<Record<string, string>> = {
  '/silent.js': '',
  '/throws.js': 'throw new Error("broken on purpose")',
  '/syntax.js': 'this is no script',
  // Sends messages of an unknown protocol version.
  '/future.js':
    'onconnect = ({ ports: [port] }) => { port.onmessage = () => port.postMessage({ authchart: 99, type: "welcome" }) }',
}

/** How long the site takes to answer with `/slow-worker.js`, in milliseconds. */
const SLOW = 500

/** Creates a site with a worker. */
async function createWorkerSite() {
  const [script, worker] = await Promise.all(
    ['./worker-page.ts', './worker-script.ts'].map((file) => bundlePage(new URL(file, import.meta.url))),
  )
  return createSite(script!, (path, response) => {
    if (!path.endsWith('.js') || path === '/page.js') return false
    const text = path.endsWith('worker.js') ? worker : BROKEN[path]
    const answer = () =>
      text === undefined
        ? response.writeHead(404).end()
        : response.setHeader('content-type', 'text/javascript').end(text)
    setTimeout(answer, path === '/slow-worker.js' ? SLOW : 0)
    return true
  })
}

/** Returns every text of a response that is a token of any kind. */
function tokensIn(text: string, cookies: readonly string[]): string[] {
  const named = [...text.matchAll(/"(?:access|refresh|id)_token":"([^"]+)"/g)].map(([, token = '']) => token)
  return [...named, ...cookies.flatMap((cookie) => /^[^=]+=(rt-[^;]+)/.exec(cookie)?.[1] ?? [])]
}

async function read(incoming: IncomingMessage): Promise<Buffer<ArrayBuffer>> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks) as Buffer<ArrayBuffer>
}

/** Creates a token server with a streaming API, which records every token that it issues. */
export async function createApi(options: TokenServerOptions = {}) {
  const server = createTokenServer({ jwt: true, ...options })
  const tokens = new Set<string>()
  const streams: ((stream: ServedStream) => void)[] = []
  const waiting: ServedStream[] = []

  const cors = (incoming: IncomingMessage) => ({
    'access-control-allow-origin': incoming.headers.origin ?? '*',
    'access-control-allow-credentials': 'true',
  })

  function stream(incoming: IncomingMessage, response: ServerResponse) {
    const length = new URL(incoming.url ?? '', 'http://any').searchParams.get('length')
    response.writeHead(200, {
      ...cors(incoming),
      'content-type': 'text/plain',
      ...(length && { 'content-length': length }),
    })
    response.flushHeaders()
    const served: ServedStream = {
      write: (text) => void response.write(text),
      end: () => void response.end(),
      drop: () => incoming.socket.destroy(),
      gone: new Promise((resolve) => response.once('close', resolve)),
    }
    const next = streams.shift()
    if (next) next(served)
    else waiting.push(served)
  }

  async function answer(incoming: IncomingMessage, response: ServerResponse, origin: string) {
    const body = await read(incoming)
    if (incoming.url?.startsWith('/stream') && incoming.method !== 'OPTIONS')
      return stream(incoming, response)
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) gone.abort()
    })
    const headers = new Headers()
    for (const [name, value] of Object.entries(incoming.headers)) headers.set(name, String(value))
    const { method = 'GET', url = '/' } = incoming
    const bodiless = method === 'GET' || method === 'HEAD' || body.length === 0
    const request = new Request(origin + url, {
      method,
      headers,
      signal: gone.signal,
      body: bodiless ? null : body,
    })
    try {
      const reply = await server.handle(request)
      const text = Buffer.from(await reply.arrayBuffer())
      const cookies = reply.headers.getSetCookie()
      if (url.startsWith('/token')) for (const token of tokensIn(String(text), cookies)) tokens.add(token)
      response.statusCode = reply.status
      for (const [name, value] of reply.headers) if (name !== 'set-cookie') response.setHeader(name, value)
      if (cookies.length > 0) response.setHeader('set-cookie', cookies)
      // Chromium repeats a request by itself if a reused connection breaks.
      response.setHeader('connection', 'close').end(text)
    } catch {
      incoming.socket.destroy()
    }
  }

  let url = ''
  const { port, close } = await listen(
    createServer((incoming, response) => void answer(incoming, response, url)),
  )
  url = `http://127.0.0.1:${port}`
  const remember = <Issued extends { access_token: string; refresh_token?: string }>(issued: Issued) => {
    for (const token of [issued.access_token, issued.refresh_token]) if (token) tokens.add(token)
    return issued
  }

  return {
    url,
    close,
    server: server as TokenServer,
    /** Every token that was ever issued. */
    tokens: () => [...tokens],
    issue: (...args: Parameters<TokenServer['issue']>) => remember(server.issue(...args)),
    /** Resolves with the next request for `/stream`. */
    nextStream: () => {
      const there = waiting.shift()
      return there ? Promise.resolve(there) : new Promise<ServedStream>((resolve) => streams.push(resolve))
    },
    /** The requests that the API received for a path, without preflights. */
    requests: (path: string) =>
      server.log.filter((request) => request.path === path && request.method !== 'OPTIONS'),
  }
}

export type Api = Awaited<ReturnType<typeof createApi>>

export interface WorkerHarnessOptions {
  /** Whether the back/forward cache is enabled, as in a normal browser. */
  readonly plain?: boolean
  /** Called with each new profile, before its first page opens. */
  readonly watch?: (profile: Profile) => Promise<void>
}

/** Creates a browser and a site whose session is in a worker. */
export async function createWorkerHarness({ plain = false, watch }: WorkerHarnessOptions = {}) {
  const site = await createWorkerSite()
  const browser = plain ? undefined : await launchBrowser()
  const real = plain ? await launchPlainBrowser() : undefined

  const open = (context: Profile): Promise<Tab> => openTab(context, site.origin, () => 'page' in globalThis)

  return {
    origin: site.origin,
    /** Uncaught errors of pages. */
    problems: site.problems,

    /** Creates a profile. `prepare` runs in each page first. */
    async profile(prepare?: () => void): Promise<{ context: Profile; open: () => Promise<Tab> }> {
      site.prepare(...(prepare ? [prepare] : []))
      const context = real ? real.profile : await browser!.newContext()
      await watch?.(context)
      return { context, open: () => open(context) }
    },

    async closeTabs() {
      if (browser) await Promise.all(browser.contexts().map((context) => context.close()))
      if (real) await Promise.all(real.profile.pages().map((page) => page.close()))
    },

    async close() {
      await browser?.close()
      await real?.close()
      site.close()
    },
  }
}

export type WorkerHarness = Awaited<ReturnType<typeof createWorkerHarness>>
export type { WorkerSettings }
