/** A site with one empty page and a script, and a browser to open it in. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { launchBrowser } from '../support/browsers/launch.ts'
import type { Tab } from '../support/browsers/tab.ts'
import { openTab } from '../support/browsers/until.ts'

/** Collects uncaught errors, and warnings and errors of the console, in the same way in all engines. */
function collectProblems() {
  const problems: string[] = []
  Object.assign(globalThis, { problems })
  addEventListener('error', ({ message }) => problems.push(message))
  addEventListener('unhandledrejection', ({ reason }) => problems.push(String(reason)))
  for (const level of ['warn', 'error'] as const) {
    const print = console[level]
    console[level] = (...parts: unknown[]) => {
      problems.push(parts.join(' '))
      print(...parts)
    }
  }
}

const PAGE = `<script>(${collectProblems})()</script><script type="module" src="/page.js"></script>`

export async function createPages(script: string) {
  const site = createServer((request, response) => {
    if (request.url === '/page.js') response.setHeader('content-type', 'text/javascript').end(script)
    else if (request.url === '/favicon.ico') response.writeHead(204).end()
    else if (request.url === '/headers') response.end(request.headers.authorization ?? 'none')
    else response.setHeader('content-type', 'text/html').end(PAGE)
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
  const browser = await launchBrowser()

  return {
    /** Opens the page in a fresh profile, and waits until its script has set `scenarios`. */
    open: async (path = '/'): Promise<Tab> =>
      openTab(await browser.newContext(), origin + path, () => 'scenarios' in globalThis),
    async close() {
      await browser.close()
      site.closeAllConnections()
      site.close()
    },
  }
}

export type Pages = Awaited<ReturnType<typeof createPages>>

/** Returns and clears the uncaught errors of a page, and the warnings and errors of its console. */
export async function takeProblems(tab: Tab): Promise<string[]> {
  const problems = await tab.evaluate(() =>
    (globalThis as unknown as { problems: string[] }).problems.splice(0),
  )
  // Some scenarios have a store that does not answer.
  return problems.filter((line) => !line.startsWith('authchart: The store of the session failed (timeout)'))
}

export type Scenarios = Readonly<Record<string, (...args: never[]) => unknown>>

/** Runs a scenario by its name in the open page. */
export const callIn =
  <S extends Scenarios>(tab: () => Tab) =>
  <N extends keyof S & string>(name: N, ...args: Parameters<S[N]>) =>
    tab().evaluate(
      ([name, args]) =>
        (globalThis as unknown as { scenarios: Scenarios }).scenarios[name]?.(...(args as never[])),
      [name, args as unknown[]] as const,
    ) as Promise<Awaited<ReturnType<S[N]>>>
