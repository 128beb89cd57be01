/** A site with a token server on the same origin, and a Chromium. */
import { readFile } from 'node:fs/promises'
import {
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { createTokenServer, type TokenServerOptions } from 'authchart/testing'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { launchChromium } from '../support/chromium.ts'

/** A served file. */
export interface Served {
  readonly body: string
  readonly headers?: OutgoingHttpHeaders
}

export interface SiteOptions {
  /** Served files, by path. The content type follows from the extension; the default is HTML. */
  readonly files: Readonly<Record<string, Served | string>>
  /** Served folders, by path. */
  readonly folders?: Readonly<Record<string, string>>
  readonly server?: TokenServerOptions
}

export interface OpenOptions extends BrowserContextOptions {
  /** Runs in the page before any other script. It cannot use anything outside its body. */
  readonly prepare?: () => void
}

/** The timeout of waits, in milliseconds. Less than the timeout of a test. */
const PATIENCE = 8_000

const TYPES: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.json': 'application/json' }

/** An empty page with a script. */
export const pageWith = (script: string) =>
  `<!doctype html><html lang="en"><title>A page</title><main><h1>A page</h1></main><script type="module" src="${script}"></script></html>`

export async function createSite({ files, folders = {}, server: options = {} }: SiteOptions) {
  const server = createTokenServer({ scope: 'books:read books:write', ...options })
  const tokenServer = await server.listen()
  const { port: tokenPort } = new URL(tokenServer.url)
  const tokens = new Set<string>()

  function forward(incoming: IncomingMessage, outgoing: ServerResponse) {
    const { method = 'GET', url: path = '/', headers } = incoming
    const passed = request({ host: '127.0.0.1', port: tokenPort, method, path, headers, agent: false })
    passed.on('response', async (answer) => {
      const chunks: Buffer[] = []
      for await (const chunk of answer) chunks.push(chunk as Buffer)
      const body = Buffer.concat(chunks)
      for (const [, token = ''] of String(body).matchAll(/"(?:access|refresh)_token":"([^"]+)"/g))
        tokens.add(token)
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers).end(body)
    })
    passed.on('error', () => outgoing.destroy())
    outgoing.on('close', () => passed.destroy())
    incoming.pipe(passed)
  }

  async function serve(path: string, outgoing: ServerResponse) {
    const type = TYPES[extname(path)] ?? 'text/html'
    const file = files[path]
    if (file !== undefined) {
      const { body, headers = {} } = typeof file === 'string' ? { body: file } : file
      outgoing.writeHead(200, { 'content-type': type, ...headers }).end(body)
      return
    }
    const under = Object.keys(folders).find((folder) => path.startsWith(`${folder}/`))
    const found =
      under === undefined
        ? undefined
        : await readFile(join(folders[under] ?? '', normalize(path.slice(under.length)))).catch(
            () => undefined,
          )
    if (found) outgoing.writeHead(200, { 'content-type': type }).end(found)
    else outgoing.writeHead(path === '/favicon.ico' ? 204 : 404).end()
  }

  const site = createServer((incoming, outgoing) => {
    const path = incoming.url?.split('?', 1)[0] ?? '/'
    if (/^\/(token|revoke|api)\b/.test(path)) forward(incoming, outgoing)
    else void serve(path, outgoing)
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
  const browser = await launchChromium()
  /** Errors of pages, and warnings and errors in their consoles. */
  const problems: string[] = []

  return {
    origin,
    server,
    problems,
    /** All tokens that the server has issued. */
    tokens,

    /** Opens a page in a new profile, and waits until its script has set `ready`. */
    async open(path = '/', { prepare, ...screen }: OpenOptions = {}): Promise<Page> {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...screen })
      context.setDefaultTimeout(PATIENCE)
      if (prepare) await context.addInitScript(prepare)
      const page = await context.newPage()
      page.on('pageerror', ({ stack, message }) => problems.push(stack ?? message))
      page.on('console', (line) => {
        // Chromium logs every failed request: ignore these lines.
        if (/warning|error/.test(line.type()) && !line.text().startsWith('Failed to load resource'))
          problems.push(line.text())
      })
      await page.goto(origin + path)
      await page.waitForFunction(() => 'ready' in globalThis)
      return page
    },

    closePages: () => Promise.all(browser.contexts().map((context) => context.close())),

    async close() {
      await browser.close()
      site.closeAllConnections()
      site.close()
      await tokenServer.close()
    },
  }
}

export type Site = Awaited<ReturnType<typeof createSite>>
