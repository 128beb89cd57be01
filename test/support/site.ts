/** A site with one empty page and its script, for browsers on this machine. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { listen } from './listen.ts'

/** Runs in each page before any other script. Reports uncaught errors to the site. */
function reportErrors() {
  const report = (error: unknown) =>
    navigator.sendBeacon(
      '/problem',
      `${(error as Error)?.message ?? error}\n${(error as Error)?.stack ?? ''}`,
    )
  addEventListener('error', ({ error, message }) => report(error ?? message))
  addEventListener('unhandledrejection', ({ reason }) => report(reason))
}

/** Answers a request that is not for the page or its script. Returns whether it did. */
export type Answer = (path: string, response: ServerResponse, request: IncomingMessage) => boolean

const NONE: Answer = () => false

/**
 * Starts a site. Every path is the page, except `/page.js`, its script, and `/elsewhere`, a page without a script. `/sandboxed` is
 * the page without access to stores.
 */
export async function createSite(script: string, answer = NONE) {
  /** The uncaught errors of all pages. */
  const problems: string[] = []
  let prologue: (() => void)[] = []

  const html = (body: string) =>
    `<!doctype html>${[reportErrors, ...prologue].map((run) => `<script>(${run})()</script>`).join('')}${body}`

  function respond(path: string, request: IncomingMessage, response: ServerResponse) {
    response.setHeader('access-control-allow-origin', '*')
    if (answer(path, response, request)) return
    if (path === '/page.js') response.setHeader('content-type', 'text/javascript').end(script)
    else if (path === '/favicon.ico') response.writeHead(204).end()
    else if (path === '/problem')
      request
        .setEncoding('utf8')
        .on('data', (text: string) => problems.push(text))
        .on('end', () => response.writeHead(204).end())
    else {
      if (path === '/sandboxed') response.setHeader('content-security-policy', 'sandbox allow-scripts')
      response.setHeader('content-type', 'text/html')
      response.end(
        html(path === '/elsewhere' ? '<p>Elsewhere</p>' : '<script type="module" src="/page.js"></script>'),
      )
    }
  }

  const { port, close } = await listen(
    createServer((request, response) => respond(request.url?.split('?', 1)[0] ?? '/', request, response)),
  )

  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    problems,
    /** Functions that run in each page that is loaded from now on, before any other script. */
    prepare(...functions: (() => void)[]) {
      prologue = functions
    },
    close,
  }
}

export type Site = Awaited<ReturnType<typeof createSite>>
