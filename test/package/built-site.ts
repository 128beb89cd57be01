/** The built documentation, served on loopback without any other network. */
import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { launchChromium } from '../support/chromium.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** The folder of the built site. */
export const BUILT = join(root, 'site/.vitepress/dist')

/** What the site is built from. */
const SOURCES = [
  'README.md',
  'CHANGELOG.md',
  'CONTRIBUTING.md',
  'SECURITY.md',
  'docs',
  'machines',
  'src',
  'site/api.ts',
  'site/.vitepress/config.ts',
  'site/.vitepress/links.ts',
  'site/.vitepress/llms.ts',
  'site/.vitepress/pages.ts',
  'site/.vitepress/theme',
  'visualizations',
  'package.json',
]

function changedAt(path: string): number {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found?.isDirectory()) return found?.mtimeMs ?? 0
  return Math.max(0, ...readdirSync(path).map((name) => changedAt(join(path, name))))
}

/** Builds the site if something has changed since the last build. In CI, the build comes before the tests. */
export function buildSite(): void {
  const builtAt = changedAt(join(BUILT, 'llms.txt'))
  if (builtAt > Math.max(...SOURCES.map((name) => changedAt(join(root, name))))) return
  execFileSync('npm', ['run', '--silent', 'docs'], { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
}

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.json': 'application/json',
}

/** The file of a path, as hosts with clean addresses find it. */
function fileOf(path: string): string | undefined {
  const file = join(BUILT, decodeURIComponent(path))
  return [file, `${file}.html`, join(file, 'index.html')].find(
    (name) => name.startsWith(BUILT) && existsSync(name) && statSync(name).isFile(),
  )
}

export interface BuiltSite {
  readonly url: string
  readonly browser: Browser
  /** Opens a page of the site. */
  open(path: string, screen?: BrowserContextOptions): Promise<Page>
  /** Requests that left the site, answers without a file, warnings and errors of pages. Empties the list. */
  takeProblems(): string[]
  close(): Promise<void>
}

export async function openSite(): Promise<BuiltSite> {
  const problems: string[] = []
  const server = createServer((request, response) => {
    const file = fileOf(new URL(request.url ?? '/', 'http://site').pathname)
    if (!file) problems.push(`no file for ${request.url}`)
    response.writeHead(file ? 200 : 404, {
      'content-type': TYPES[extname(file ?? '')] ?? 'application/octet-stream',
    })
    response.end(file && readFileSync(file))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const browser = await launchChromium()

  return {
    url,
    browser,
    async open(path, screen = {}) {
      const context = await browser.newContext({
        viewport: { width: 1280, height: 800 },
        reducedMotion: 'reduce',
        ...screen,
      })
      await context.route(
        (address) => !address.href.startsWith(`${url}/`) && !/^(data|blob):/.test(address.protocol),
        (route) => {
          problems.push(`asked for ${route.request().url()}`)
          return route.abort()
        },
      )
      context.on('weberror', (thrown) => void problems.push(thrown.error().message))
      context.on('console', (line) => {
        if (/warning|error/.test(line.type())) problems.push(line.text())
      })
      const page = await context.newPage()
      await page.goto(url + path)
      return page
    },
    takeProblems: () => problems.splice(0),
    async close() {
      await browser.close()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
