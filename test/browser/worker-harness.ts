import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { build } from 'esbuild'
import type { BrowserContext, Page } from 'playwright-core'
import type { TokenServerOptions } from '../../src/testing/token-server/options.ts'
import { createTokenServer, type TokenServer } from '../../src/testing/token-server/token-server.ts'
import { launchChromium, launchPlainChromium } from '../support/chromium.ts'
import { recordTalk } from './token-search.ts'
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

const bundle = async (file: string) => {
  const { outputFiles } = await build({
    entryPoints: [new URL(file, import.meta.url).pathname],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    write: false,
  })
  return outputFiles[0]?.text ?? ''
}

async function listen(server: Server) {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
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
async function createSite() {
  const [script, worker] = await Promise.all([bundle('./worker-page.ts'), bundle('./worker-script.ts')])
  return listen(
    createServer(({ url = '/' }, response) => {
      const path = url.split('?', 1)[0] ?? ''
      const text = path === '/page.js' ? script : path.endsWith('worker.js') ? worker : BROKEN[path]
      if (text !== undefined)
        setTimeout(
          () => response.setHeader('content-type', 'text/javascript').end(text),
          path === '/slow-worker.js' ? SLOW : 0,
        )
      else if (path.endsWith('.js')) response.writeHead(404).end()
      else if (path === '/elsewhere') response.setHeader('content-type', 'text/html').end('<p>Elsewhere</p>')
      else
        response.setHeader('content-type', 'text/html').end('<script type="module" src="/page.js"></script>')
    }),
  )
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
}

/** Creates a browser and a site whose session is in a worker. */
export async function createWorkerHarness({ plain = false }: WorkerHarnessOptions = {}) {
  const site = await createSite()
  const browser = plain ? undefined : await launchChromium()
  const real = plain ? await launchPlainChromium() : undefined
  const origin = `http://127.0.0.1:${site.port}`
  /** Uncaught errors of pages. */
  const problems: string[] = []

  async function open(context: BrowserContext): Promise<Page> {
    const page = await context.newPage()
    page.on('pageerror', (error) => problems.push(error.message))
    await page.goto(origin)
    await page.waitForFunction(() => 'page' in globalThis, undefined, { polling: 20 })
    return page
  }

  return {
    origin,
    problems,

    /** Creates a profile that records the messages of its pages. `prepare` runs in each page first. */
    async profile(prepare?: () => void): Promise<{ context: BrowserContext; open: () => Promise<Page> }> {
      const context = real ? real.profile : await browser!.newContext()
      if (!real) await recordTalk(context)
      if (prepare) await context.addInitScript(prepare)
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
