/** An app in a folder of its own, made of a page's commands and files, and open in Chromium. */
import { execSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { ChildServer } from '../support/child-server.ts'
import { launchChromium } from '../support/chromium.ts'
import type { Guide } from './pages.ts'

const PAGE = 'http://localhost:5173'
const SERVER = 'http://localhost:8080'
/** How long the console may take to show something, in milliseconds. */
const PATIENCE = 60_000

export interface AppOptions {
  readonly guide: Guide
  readonly cwd: string
  /** The packed package, in place of the one of the registry. */
  readonly tarball: string
  /** What the page says to put in the place of something else. */
  readonly replace: Readonly<Record<string, string>>
  /** The server, if the page has several. */
  readonly server?: string | undefined
}

/** Starts what goes on running, and resolves when it answers. */
async function startServer(command: string, { cwd, server }: AppOptions): Promise<ChildServer> {
  const [, name = '', ...args] = command.split(' ')
  // Without a shell in between, which would outlive it.
  const program = join(cwd, 'node_modules/.bin', name)
  const child = new ChildServer(program, name === 'tsx' && server ? [server] : args, { cwd })
  try {
    await child.ready(() => fetch(name === 'vite' ? PAGE : SERVER))
  } catch (error) {
    await child.stop('SIGTERM')
    throw error
  }
  return child
}

export class App {
  readonly page: Page
  /** The requests of the page: method, address and body. */
  readonly sent: string[] = []
  readonly #printed: string[] = []
  readonly #browser: Browser
  readonly #servers: ChildServer[] = []
  readonly #options: AppOptions
  /** The last request with an access token. */
  #authorized: { readonly url: string; readonly headers: Record<string, string> } | undefined

  static async start(options: AppOptions): Promise<App> {
    const { guide, cwd, tarball, replace } = options
    const run = (command: string) =>
      execSync(command.replace(/ authchart /, ` ${tarball} `), {
        cwd,
        stdio: ['ignore', 'ignore', 'inherit'],
      })
    const isCreation = (command: string) => command.startsWith('npm create ')
    guide.commands.filter(isCreation).forEach(run)
    for (const [file, code] of guide.files) {
      const own = Object.entries(replace).reduce((text, [from, to]) => text.replaceAll(from, to), code)
      writeFileSync(join(cwd, file), own)
    }
    guide.commands.filter((line) => line.startsWith('npm ') && !isCreation(line)).forEach(run)

    const browser = await launchChromium()
    const app = new App(options, browser, await browser.newPage())
    try {
      for (const command of guide.commands.filter((line) => line.startsWith('npx ')))
        app.#servers.push(await startServer(command, options))
    } catch (error) {
      await app.close()
      throw error
    }
    return app
  }

  private constructor(options: AppOptions, browser: Browser, page: Page) {
    this.#options = options
    this.#browser = browser
    this.page = page
    page.on('request', (request) => {
      const [url, headers] = [request.url(), request.headers()]
      this.sent.push(`${request.method()} ${url} ${request.postData() ?? ''}`)
      if (headers.authorization && request.method() === 'GET') this.#authorized = { url, headers }
    })
    page.on('console', (message) => this.#printed.push(message.text()))
    page.on('pageerror', (error) => this.#printed.push(String(error)))
  }

  /** How many requests match. */
  count(pattern: RegExp): number {
    return this.sent.filter((request) => pattern.test(request)).length
  }

  open = () => this.page.goto(PAGE)
  reload = () => this.page.reload()

  get hasChange(): boolean {
    return this.#options.guide.removed.length > 0
  }

  /** Makes the change that a page of a migration is about, without Vite in the meantime. */
  change = async (): Promise<void> => {
    const { guide, cwd } = this.#options
    await this.#servers.pop()?.stop('SIGTERM')
    for (const file of guide.removed) rmSync(join(cwd, file))
    this.#servers.push(await startServer(guide.commands.at(-1) ?? '', this.#options))
    await this.reload()
  }

  /** Does something, and resolves when the console or the page shows what is expected. */
  async shows(expected: RegExp, act: () => Promise<unknown>): Promise<void> {
    this.#printed.length = 0
    await act()
    const end = performance.now() + PATIENCE
    while (!this.#printed.some((text) => expected.test(text)) && !expected.test(await this.#text())) {
      if (performance.now() > end) throw new Error(`The console shows only: ${this.#printed.join('\n')}`)
      await this.page.waitForTimeout(50)
    }
  }

  /** Presses Enter in the terminal of the first server. */
  pressEnter = () => this.#servers[0]?.type('\n')

  /** The text of the page; it has none while it is left for another one. */
  #text = (): Promise<string> => this.page.evaluate(() => document.body?.innerText ?? '').catch(() => '')

  /** Resolves when the server refuses the access token that the page used last. */
  async untilRefused(): Promise<void> {
    if (!this.#authorized) throw new Error('The page has used no access token.')
    const { url, headers } = this.#authorized
    const end = performance.now() + PATIENCE
    while ((await fetch(url, { headers })).status !== 401) {
      if (performance.now() > end) throw new Error(`${url} does not refuse the token`)
      await this.page.waitForTimeout(50)
    }
  }

  /** Sends requests at once. Returns the statuses that the app gets. @param send an expression for one response */
  burst(send: string, count = 20): Promise<unknown[]> {
    return this.page.evaluate(
      `Promise.all(Array.from({ length: ${count} }, async () => (${send}).then(({ status }) => status, String)))`,
    ) as Promise<unknown[]>
  }

  async close(): Promise<void> {
    await this.#browser.close()
    for (const server of this.#servers) await server.stop('SIGTERM')
  }
}
