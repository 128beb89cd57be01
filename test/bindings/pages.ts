/** A site with one empty page and a script, and a Chromium to open it in. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Page } from 'playwright-core'
import { launchChromium } from '../support/chromium.ts'

export async function createPages(script: string) {
  const site = createServer((request, response) => {
    if (request.url === '/page.js') response.setHeader('content-type', 'text/javascript').end(script)
    else if (request.url === '/favicon.ico') response.writeHead(204).end()
    else response.setHeader('content-type', 'text/html').end('<script type="module" src="/page.js"></script>')
  })
  await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
  const origin = `http://127.0.0.1:${(site.address() as AddressInfo).port}`
  const browser = await launchChromium()
  /** Uncaught errors of pages, and warnings and errors of their consoles. */
  const problems: string[] = []

  return {
    problems,
    /** Opens the page in a fresh profile, and waits until its script has set `scenarios`. */
    async open(path = '/'): Promise<Page> {
      const page = await browser.newPage()
      page.on('pageerror', ({ message }) => problems.push(message))
      page.on('console', (line) => {
        // Some scenarios have a store that does not answer.
        const isExpected = line.text().startsWith('authchart: The store of the session failed (timeout)')
        if (/warning|error/.test(line.type()) && !isExpected) problems.push(line.text())
      })
      await page.goto(origin + path)
      await page.waitForFunction(() => 'scenarios' in globalThis)
      return page
    },
    async close() {
      await browser.close()
      site.closeAllConnections()
      site.close()
    },
  }
}

export type Pages = Awaited<ReturnType<typeof createPages>>

export type Scenarios = Readonly<Record<string, (...args: never[]) => unknown>>

/** Runs a scenario by its name in the open page. */
export const callIn =
  <S extends Scenarios>(page: () => Page) =>
  <N extends keyof S & string>(name: N, ...args: Parameters<S[N]>) =>
    page().evaluate(
      ([name, args]) =>
        (globalThis as unknown as { scenarios: Scenarios }).scenarios[name]?.(...(args as never[])),
      [name, args as unknown[]] as const,
    ) as Promise<Awaited<ReturnType<S[N]>>>
