import { readdirSync, readFileSync } from 'node:fs'
import * as msw from 'msw'
import * as mswNode from 'msw/node'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import * as authchart from '../../src/index.ts'
import * as authchartTesting from '../../src/testing/index.ts'
import { createTokenServer, describeTransport, type ModelSettings } from '../../src/testing/index.ts'
import { chartStates } from '../../src/testing/model/chart-parts.ts'
import { modelEvents } from '../../src/testing/model/model-events.ts'
import { resolveModelSettings } from '../../src/testing/model/model-options.ts'
import { settle } from '../../src/testing/token-server/options.ts'
import * as authchartFetch from '../../src/transports/fetch.ts'
import {
  literalsOf,
  membersOf,
  namesIn,
  root,
  type Snippet,
  snippetsOf,
  tableUnder,
} from './readme-source.ts'

const PAGE = readFileSync(new URL('docs/testing.md', root), 'utf8')
const README = readFileSync(new URL('README.md', root), 'utf8')
const DRAWINGS = readFileSync(new URL('visualizations/README.md', root), 'utf8')

const snippets = snippetsOf('docs/testing.md')
const snippetUnder = (heading: string) => snippets.filter((snippet) => snippet.heading === heading)
const linesOf = (text: string) => text.split('\n').filter((line) => line.trim() !== '')

describe('the snippets of docs/testing.md', () => {
  it('are found', () => {
    expect(snippets.length).toBeGreaterThanOrEqual(9)
  })
})

describe('the example of docs/testing.md', () => {
  const example = (file: string) => readFileSync(new URL(`examples/testing/${file}`, root), 'utf8')
  const [{ code: listing = '' } = {}, config] = snippetsOf('docs/testing.md')

  it('has fewer than 30 lines, all in all', () => {
    expect(linesOf(listing).length).toBeLessThan(30)
  })

  it('is what runs in Chromium here, in the words of Playwright Test', () => {
    const ours = linesOf(example('app.model.ts'))
    const inPlaywright = ours.map((line) =>
      line
        .replace("import type { Page } from 'playwright-core'", '')
        .replace(/page\.getByText\((.*)\)\.waitFor\(\)$/, 'expect(page.getByText($1)).toBeVisible()'),
    )
    const body = inPlaywright.filter((line) => line !== '' && !/^\/\*\*|^export/.test(line))
    expect(linesOf(listing)).toEqual([
      "import { expect, type Page, test } from '@playwright/test'",
      ...body,
      'test.beforeAll(() => server.listen({ port: 4400 }))',
      "test.beforeEach(({ page }) => page.goto('/'))",
      'for (const path of model.shortestPaths()) test(path.description, ({ page }) => path.test(page))',
    ])
  })

  it('is told where its server listens', () => {
    expect(config?.code).toContain('http://127.0.0.1:4400')
  })

  it('goes on with what runs in Chromium, too', () => {
    const [tabs] = snippetUnder('Tabs and time')
    const model = (text: string) => text.slice(text.indexOf('export const model'))
    expect(model(tabs?.code ?? '')).toBe(model(example('tabs-and-time.model.ts')))
  })
})

const MODULES: Readonly<Record<string, unknown>> = {
  authchart,
  'authchart/fetch': authchartFetch,
  'authchart/testing': authchartTesting,
  msw,
  'msw/node': mswNode,
}

interface Declared {
  readonly title: string
  readonly body: () => Promise<void>
}

/** Runs a snippet as a module; gives the tests it declares and what it printed. */
async function run({ code }: Snippet) {
  const { outputText } = ts.transpileModule(code, {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  })
  const declared: Declared[] = []
  const printed: unknown[] = []
  const test = (title: string, body: Declared['body']) => declared.push({ title, body })
  const describe = (_: string, body: () => void) => body()
  const load = (name: string) => {
    if (name === 'vitest') return { describe, expect, it: test, test }
    if (!(name in MODULES)) throw new Error(`The snippet imports ${name}`)
    return MODULES[name]
  }
  const AsyncFunction = (async () => {}).constructor as typeof Function
  const body = new AsyncFunction('require', 'exports', 'console', outputText)
  await body(load, {}, { log: (...values: unknown[]) => printed.push(...values) })
  return { declared, printed }
}

describe('what the snippets of docs/testing.md do', () => {
  it('the test bed takes its paths, and is brought into a state', async () => {
    const { declared } = await run(snippetUnder('Without a browser')[0]!)
    expect(declared.length).toBeGreaterThan(20)
    for (const { title, body } of declared) await expect(body(), title).resolves.toBeUndefined()
  })

  it('virtual time prints what the comments beside it say', async () => {
    const [snippet] = snippetUnder('Virtual time')
    const { printed } = await run(snippet!)
    expect(printed).toEqual([12, 200, 200])
    expect(snippet?.code).toContain('// 12 200')
  })

  it('the token server is reached in each of the four ways', async () => {
    const [snippet] = snippetUnder('The token server')
    expect((await run(snippet!)).printed).toEqual([200, 200, 200, 200])
    expect(snippet?.code).toContain('// 200 200 200 200')
  })

  it('the transport conforms', async () => {
    const { declared } = await run(snippetUnder('A transport of your own')[0]!)
    const all: string[] = []
    describeTransport('any', () => ({ request: async () => ({ status: 200, body: '' }) }), {
      describe: (_, body) => body(),
      it: (title) => all.push(title),
      expect,
    })
    expect(declared.map(({ title }) => title)).toEqual(all)
    const some = declared.filter(({ title }) => /burst|origin|abort/i.test(title))
    expect(some.length).toBeGreaterThan(5)
    for (const { title, body } of some) await expect(body(), title).resolves.toBeUndefined()
  }, 60_000)
})

const row = (rows: string[][], name: string) => rows.find((cells) => namesIn([cells])[0] === name)

describe('the tables of docs/testing.md', () => {
  it('name every event of the model with what it means, and nothing that is none', () => {
    const told = tableUnder('Events', PAGE).map((cells) => [namesIn([cells])[0], cells[1]])
    expect(told).toEqual(Object.entries(modelEvents).map(([name, { description }]) => [name, description]))
  })

  it('name everything that an assertion is told, and nothing else', () => {
    expect(namesIn(tableUnder('States', PAGE)).sort()).toEqual(
      membersOf('src/testing/model/auth-test-model.ts', 'Expected').sort(),
    )
  })

  it('name every setting with its default, and every way to start', () => {
    const { refreshTimeout, signInTimeout, revokeTimeout, holdTimeout, ...rest } = resolveModelSettings({})
    const { attempts, minDelay, maxDelay, idle, absolute, ...settings } = rest
    // Typed, so that a new setting does not compile before it is told.
    const defaults: Record<Told<ModelSettings>, unknown> = {
      ...settings,
      'retry.attempts': attempts,
      'retry.minDelay': minDelay,
      'retry.maxDelay': maxDelay,
      'timeouts.refresh': refreshTimeout,
      'timeouts.signIn': signInTimeout,
      'timeouts.revoke': revokeTimeout,
      'timeouts.hold': holdTimeout,
      'limits.idle': idle,
      'limits.absolute': absolute,
    }
    const rows = tableUnder('Settings', PAGE)
    const starts = literalsOf('src/testing/model/model-options.ts', 'ModelStart')
    const isStart = ([cell = '']: string[]) => starts.some((start) => cell === `\`'${start}'\``)
    expect(rows.filter(isStart)).toHaveLength(starts.length)
    const told = rows.filter((cells) => !isStart(cells))
    expect(namesIn(told).sort()).toEqual(Object.keys(defaults).sort())
    for (const [name, value] of Object.entries(defaults)) {
      const [, cell] = row(told, name) ?? []
      if (value === undefined) continue
      expect(cell, name).toContain(
        value === Number.POSITIVE_INFINITY
          ? 'no limit'
          : typeof value === 'number'
            ? value.toLocaleString('en')
            : `${value}`,
      )
    }
  })

  it('name every member of a test bed, and nothing that is none', () => {
    expect(namesIn(tableUnder('Without a browser', PAGE)).sort()).toEqual(
      membersOf('src/testing/bed/test-bed.ts', 'TestBed').sort(),
    )
  })

  const server = tableUnder('The token server', PAGE)
  const isOption = ([, second]: string[]) => server.length > 0 && second !== undefined

  it('name every option of a token server with its default', () => {
    const options = membersOf('src/testing/token-server/options.ts', 'TokenServerOptions')
    const rows = server.filter((cells) => cells.length === 3 && isOption(cells))
    expect(namesIn(rows).sort()).toEqual([...options].sort())
    const { clock: _, now: __, routes: ___, scope: ____, ...defaults } = settle({})
    for (const [name, value] of Object.entries(defaults)) {
      expect(row(rows, name)?.[1], name).toContain(
        typeof value === 'number' ? value.toLocaleString('en') : `${value}`,
      )
    }
  })

  it('name every member of a token server, and nothing that is none', () => {
    const named = [
      ...namesIn(server.filter((cells) => cells.length === 2)),
      // Those that are shown in code.
      ...['origin', 'fetch', 'handle', 'listen'].filter(
        (name) => PAGE.includes(`server.${name}`) || name === 'origin',
      ),
    ].filter((name) => name in createTokenServer())
    const members = ['TokenServerCounters', 'TokenServer'].flatMap((name) =>
      membersOf('src/testing/token-server/types.ts', name),
    )
    members.push(...membersOf('src/testing/token-server/script.ts', 'TokenServerScript'))
    expect(named.sort()).toEqual(members.sort())
  })

  it('name every option of describeTransport, and nothing that is none', () => {
    const options = [
      ...membersOf('src/testing/conformance/types.ts', 'TransportHooks'),
      ...membersOf('src/testing/conformance/types.ts', 'DescribeTransportOptions'),
    ]
    expect(namesIn(tableUnder('A transport of your own', PAGE)).sort()).toEqual(options.sort())
  })
})

/** Settings by the names that the table has for them: `retry.attempts`. */
type Told<Settings> = {
  [Name in keyof Required<Settings> & string]: Required<Settings>[Name] extends object
    ? `${Name}.${keyof Required<Settings>[Name] & string}`
    : Name
}[keyof Required<Settings> & string]

describe('docs/testing.md as a whole', () => {
  it('names only states that there are', () => {
    const named = [...PAGE.matchAll(/\b(?:refreshing|authenticated|restoring)\.[\w.]+\w/g)].map(
      ([path]) => path,
    )
    // As a place: the exchange and the gate.
    const places = named.filter((path) => !chartStates.includes(path))
    expect(named.length).toBeGreaterThan(5)
    expect(places).toEqual(['refreshing.requesting.closed'])
  })

  it('leads nowhere that is not there', () => {
    const links = [...PAGE.matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, path]) => path!)
    const there = (path: string) => {
      const url = new URL(path, new URL('docs/testing.md', root))
      return readdirSync(new URL('.', url)).includes(url.pathname.split('/').at(-1)!)
    }
    expect(links.length).toBeGreaterThan(0)
    expect(links.filter((path) => !there(path))).toEqual([])
  })

  it('has a heading for each link, here and in the pages it leads to', () => {
    const slugs = (text: string) =>
      [...text.matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
        heading
          .toLowerCase()
          .replace(/[^\w\s-]/g, '')
          .replaceAll(' ', '-'),
      )
    const pages: Readonly<Record<string, string>> = {
      '': PAGE,
      '../README.md': README,
      '../visualizations/README.md': DRAWINGS,
    }
    const anchors = [...PAGE.matchAll(/\]\(([^)#]*)#([^)]+)\)/g)]
    expect(
      anchors.filter(([, page = '', anchor = '']) => !slugs(pages[page] ?? '').includes(anchor)),
    ).toEqual([])
    const headings = slugs(PAGE.replaceAll(/^#.* (?=Virtual|Testing an app)/gm, ''))
    expect(headings.filter((heading) => !PAGE.includes(`(#${heading})`))).toEqual([])
  })
})
