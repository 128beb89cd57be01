import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { listen } from '../../examples/demo/listen.ts'
import { membersOf, namesIn, root, SOURCES, snippetsOf, tableUnder } from '../package/readme-source.ts'
import { hasChromium, launchChromium } from '../support/chromium.ts'
import { startMcpServer } from './mcp-server.ts'
import { APP, MACHINE, SECRET, startProvider } from './provider.ts'

const PAGE = await readFile(new URL('docs/oauth.md', root), 'utf8')

/** Names of the package lead to the sources. */
const sources: Plugin = {
  name: 'sources',
  setup({ onResolve }) {
    onResolve({ filter: /^authchart/ }, ({ path }) => ({ path: new URL(SOURCES[path] ?? '', root).pathname }))
  },
}

/** Bundles the first snippet under a heading, with the addresses of this test in place of those of the docs. */
async function bundle(
  heading: string,
  platform: 'browser' | 'node',
  names: Record<string, string>,
  page = 'docs/oauth.md',
) {
  const snippet = snippetsOf(page).find((found) => found.heading === heading)
  let contents = snippet?.code ?? ''
  for (const [name, value] of Object.entries(names)) contents = contents.replaceAll(name, value)
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: new URL('.', root).pathname, loader: 'ts' },
    bundle: true,
    format: 'esm',
    platform,
    target: 'es2022',
    write: false,
    plugins: [sources],
  })
  return outputFiles[0]?.text ?? ''
}

/** Runs a script in a process of its own. */
async function run(script: string, environment: Record<string, string>) {
  const folder = await mkdtemp(join(tmpdir(), 'authchart-docs-'))
  const file = join(folder, 'script.mjs')
  await writeFile(file, script)
  const child: ChildProcess = spawn(process.execPath, [file], {
    env: { ...process.env, HOME: folder, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text
    })
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve))
  onTestFinished(async () => {
    child.kill()
    await exited
    await rm(folder, { recursive: true })
  })
  return { output: () => output, exited }
}

describe('the quick starts of docs/oauth.md', () => {
  test.skipIf(!hasChromium)(
    'sign a user in, in a browser, in fifteen lines',
    async () => {
      const code = snippetsOf('docs/oauth.md')[0]?.code ?? ''
      expect(code.split('\n').filter(Boolean).length).toBeLessThanOrEqual(15)
      let script = ''
      const site = createServer((request, response) => {
        const isScript = request.url === '/page.js'
        response
          .setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
          .end(isScript ? script : '<body><script type="module" src="/page.js"></script>')
      })
      await new Promise<void>((resolve) => site.listen(0, '127.0.0.1', resolve))
      const home = `http://127.0.0.1:${(site.address() as AddressInfo).port}/`
      const server = await startProvider({ redirectUris: [home] })
      script = await bundle('In a browser', 'browser', { 'https://id.example.com': server.url })
      const browser = await launchChromium()
      onTestFinished(async () => {
        await browser.close()
        site.closeAllConnections()
        site.close()
      })
      const page = await browser.newPage()
      await page.goto(home)
      await page.getByText('Signed in as ada').waitFor()
      await page.reload()
      await page.getByText('Signed in as ada').waitFor()
      expect([...server.codes.values()]).toEqual([1])
    },
    60_000,
  )

  test('sign a user in on a command line, and remember them', async () => {
    const server = await startProvider()
    const script = await bundle('On a command line', 'node', {
      'https://id.example.com': server.url,
      "clientId: 'tool'": `clientId: '${APP}'`,
    })
    const { output, exited } = await run(script, {})
    await vi.waitUntil(() => /enter \w{4}-\w{4}/.test(output()), { timeout: 15_000 })
    expect(output()).toContain(`Open ${server.url}/device`)
    const [, code = ''] = /enter (\w{4}-\w{4})/.exec(output()) ?? []
    await server.approve(code, 'grace')
    expect(await exited, output()).toBe(0)
    expect(output()).toContain('Signed in as grace')
  }, 180_000)

  test('call an API from a server, by its own credentials', async () => {
    const server = await startProvider()
    const api = await listen(async (request, response) => {
      const token = request.headers.authorization?.replace('Bearer ', '') ?? ''
      response.writeHead((await server.provider.ClientCredentials.find(token)) ? 200 : 401).end()
    })
    onTestFinished(api.close)
    const script = await bundle('In a server', 'node', {
      'https://id.example.com': server.url,
      'https://api.example.com': api.url,
      "clientId: 'machine'": `clientId: '${MACHINE}'`,
    })
    const { output, exited } = await run(script, { CLIENT_SECRET: SECRET })
    expect(await exited, output()).toBe(0)
    expect(output()).toBe('200\n')
  }, 180_000)
})

describe('the quick start of docs/guides/mcp.md', () => {
  test('signs a user in on a command line, and calls a tool of an MCP server', async () => {
    const server = await startProvider()
    const mcp = await startMcpServer(server, { scopes: [] })
    const script = await bundle(
      'A tool on a command line',
      'node',
      {
        'https://mcp.example.com/mcp': mcp.url,
        "clientId: 'tool'": `clientId: '${APP}'`,
        "name: 'search'": "name: 'read'",
      },
      'docs/guides/mcp.md',
    )
    const { output, exited } = await run(script, {})
    await vi.waitUntil(() => /enter \w{4}-\w{4}/.test(output()), { timeout: 60_000 })
    const [, code = ''] = /enter (\w{4}-\w{4})/.exec(output()) ?? []
    await server.approve(code, 'grace', mcp.url)
    expect(await exited, output()).toBe(0)
    expect(output()).toContain('read by grace')
  }, 180_000)
})

describe('the tables of docs/oauth.md', () => {
  test('name every option, and nothing else', () => {
    const options = ['ServerOptions', 'OAuthOptions'].flatMap((name) =>
      membersOf('src/oauth2/options.ts', name),
    )
    expect(namesIn(tableUnder('Options', PAGE)).sort()).toEqual(options.sort())
  })

  test('name every reason that has a text, and nothing else', async () => {
    const text = await readFile(new URL('src/oauth2/messages.ts', root), 'utf8')
    const reasons = [...text.matchAll(/^ {2}([a-z_]+):/gm)].map(([, name = '']) => name)
    expect(reasons.length).toBeGreaterThan(10)
    expect(namesIn(tableUnder('Errors', PAGE)).sort()).toEqual(reasons.sort())
  })

  const rows = tableUnder('Which RFCs are implemented', PAGE)

  test('name at least twenty sections of RFCs', () => {
    expect(rows.length).toBeGreaterThanOrEqual(20)
  })

  test.each(rows.map(([what = '', , shown = '']) => [what, shown]))(
    'name a test that exists: %s',
    async (_, shown) => {
      const [, file = '', title = ''] = /^`([\w-]+)`: (.*)$/.exec(shown) ?? []
      const text = await readFile(new URL(`./${file}.test.ts`, import.meta.url), 'utf8')
      expect(text).toMatch(new RegExp(`['"]${title.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}['"]`))
    },
  )
})
