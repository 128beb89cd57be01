import { readFileSync } from 'node:fs'
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
import { resolveOptions } from '../../src/testing/token-server/options.ts'
import * as authchartFetch from '../../src/transports/fetch.ts'
import {
  anchorOf,
  literalsOf,
  membersOf,
  namesIn,
  root,
  type Snippet,
  snippetsOf,
  tableUnder,
} from './readme-source.ts'

const PAGE = readFileSync(new URL('docs/guides/testing.md', root), 'utf8')

const snippets = snippetsOf('docs/guides/testing.md')
const snippetUnder = (heading: string) => snippets.filter((snippet) => snippet.heading === heading)
const linesOf = (text: string) => text.split('\n').filter((line) => line.trim() !== '')

describe('the snippets of docs/guides/testing.md', () => {
  it('at least nine snippets are found in docs/guides/testing.md', () => {
    expect(snippets.length).toBeGreaterThanOrEqual(9)
  })
})

describe('the example of docs/guides/testing.md', () => {
  const example = (file: string) => readFileSync(new URL(`examples/testing/${file}`, root), 'utf8')
  const [{ code: listing = '' } = {}, config] = snippetUnder('Your app on the model')

  it.each(['items.tsx', 'items.test.tsx'])(
    'the component on a bed is the code of %s, which runs here',
    (file) => {
      expect(snippetUnder('A component on a bed').map(({ code }) => code)).toContain(example(file))
    },
  )

  it('the example has fewer than 30 lines in total', () => {
    expect(linesOf(listing).length).toBeLessThan(30)
  })

  it('the example is the code that runs in Chromium here, adapted to Playwright Test', () => {
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

  it('the configuration of the example has the address of its server', () => {
    expect(config?.code).toContain('http://127.0.0.1:4400')
  })

  it('the second model of the page also runs in Chromium', () => {
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

/** Runs a snippet as a module. Returns the tests it declares and what it printed. */
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

describe('the snippets of docs/guides/testing.md, when they run', () => {
  it('the snippet of the test bed runs its paths and brings the bed into a state', async () => {
    const { declared } = await run(snippetUnder('Without a browser')[0]!)
    expect(declared.length).toBeGreaterThan(20)
    for (const { title, body } of declared) await expect(body(), title).resolves.toBeUndefined()
  })

  it('the snippet of the virtual clock prints what its comments say', async () => {
    const [snippet] = snippetUnder('Virtual time')
    const { printed } = await run(snippet!)
    expect(printed).toEqual([12, 200, 200])
    expect(snippet?.code).toContain('// 12 200')
  })

  it('the shortest snippet of a test refreshes when its clock is moved', async () => {
    const [, snippet] = snippetUnder('Virtual time')
    expect((await run(snippet!)).printed).toEqual(['at-2'])
  })

  it('the snippet of the token server reaches it in each of the four ways', async () => {
    const [snippet] = snippetUnder('The token server')
    expect((await run(snippet!)).printed).toEqual([200, 200, 200, 200])
    expect(snippet?.code).toContain('// 200 200 200 200')
  })

  it('the snippet of an API of its own prints what its comment says', async () => {
    const [snippet] = snippetUnder('Your own API')
    expect((await run(snippet!)).printed).toEqual([401, { message: 'Wrong password' }])
    expect(snippet?.code).toContain("// 401 { message: 'Wrong password' }")
  })

  it('the transport of the snippet conforms', async () => {
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
  }, 180_000)
})

const row = (rows: string[][], name: string) => rows.find((cells) => namesIn([cells])[0] === name)

describe('the tables of docs/guides/testing.md', () => {
  it('the Events table names every event of the model with its description, and nothing else', () => {
    const listed = tableUnder('Events', PAGE).map((cells) => [namesIn([cells])[0], cells[1]])
    expect(listed).toEqual(Object.entries(modelEvents).map(([name, { description }]) => [name, description]))
  })

  it('the States table names every field that an assertion receives, and nothing else', () => {
    expect(namesIn(tableUnder('States', PAGE)).sort()).toEqual(
      membersOf('src/testing/model/auth-test-model.ts', 'Expected').sort(),
    )
  })

  it('the Settings table names every setting with its default, and every way to start', () => {
    const settings = resolveModelSettings({})
    const { retry, timeouts, limits } = settings
    // Typed, so that a new setting does not compile until it is listed here.
    const defaults: Record<SettingName<ModelSettings>, unknown> = {
      lifetime: settings.lifetime,
      retryAfter: settings.retryAfter,
      start: settings.start,
      endpoint: settings.endpoint,
      refreshAhead: settings.refreshAhead,
      refreshOn: settings.refreshOn,
      ambiguousRefresh: settings.ambiguousRefresh,
      silentSignIn: settings.silentSignIn,
      whenExpired: settings.whenExpired,
      'retry.attempts': retry.attempts,
      'retry.minDelay': retry.minDelay,
      'retry.maxDelay': retry.maxDelay,
      'timeouts.refresh': timeouts.refresh,
      'timeouts.signIn': timeouts.signIn,
      'timeouts.revoke': timeouts.revoke,
      'timeouts.hold': timeouts.hold,
      'limits.idle': limits.idle,
      'limits.absolute': limits.absolute,
    }
    const rows = tableUnder('Settings', PAGE)
    const starts = literalsOf('src/testing/model/model-options.ts', 'ModelStart')
    const isStart = ([cell = '']: string[]) => starts.some((start) => cell === `\`'${start}'\``)
    expect(rows.filter(isStart)).toHaveLength(starts.length)
    const listed = rows.filter((cells) => !isStart(cells))
    expect(namesIn(listed).sort()).toEqual(Object.keys(defaults).sort())
    for (const [name, value] of Object.entries(defaults)) {
      const [, cell] = row(listed, name) ?? []
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

  it('the table names every member of a test bed, and nothing else', () => {
    expect(namesIn(tableUnder('Without a browser', PAGE)).sort()).toEqual(
      membersOf('src/testing/bed/test-bed.ts', 'TestBed').sort(),
    )
  })

  const server = tableUnder('The token server', PAGE)
  const isOption = ([, second]: string[]) => server.length > 0 && second !== undefined

  it('the table names every option of a token server with its default', () => {
    const options = [
      ...membersOf('src/testing/token-server/options.ts', 'TokenServerOptions'),
      ...membersOf('src/testing/token-server/endpoints.ts', 'TokenServerForm'),
    ]
    const rows = server.filter((cells) => cells.length === 3 && isOption(cells))
    expect(namesIn(rows).sort()).toEqual([...options].sort())
    const { clock: _, now: __, routes: ___, scope: ____, form: _____, ...defaults } = resolveOptions({})
    for (const [name, value] of Object.entries(defaults)) {
      expect(row(rows, name)?.[1], name).toContain(
        typeof value === 'number' ? value.toLocaleString('en') : `${value}`,
      )
    }
  })

  it('the page names every member of a token server, and nothing else', () => {
    const named = [
      ...namesIn(server.filter((cells) => cells.length === 2)),
      // These are in the code, not in a table.
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

  it('the table names every option of describeTransport, and nothing else', () => {
    const options = [
      ...membersOf('src/testing/conformance/types.ts', 'TransportHooks'),
      ...membersOf('src/testing/conformance/types.ts', 'DescribeTransportOptions'),
    ]
    expect(namesIn(tableUnder('A transport of your own', PAGE)).sort()).toEqual(options.sort())
  })
})

/** The names of settings as the table writes them: `retry.attempts`. */
type SettingName<Settings> = {
  [Name in keyof Required<Settings> & string]: Required<Settings>[Name] extends object
    ? `${Name}.${keyof Required<Settings>[Name] & string}`
    : Name
}[keyof Required<Settings> & string]

describe('docs/guides/testing.md as a whole', () => {
  it('docs/guides/testing.md names only states that exist', () => {
    const named = [...PAGE.matchAll(/\b(?:refreshing|authenticated|restoring)\.[\w.]+\w/g)].map(
      ([path]) => path,
    )
    // A place joins the states of attempt and gate.
    const places = named.filter((path) => !chartStates.includes(path))
    expect(named.length).toBeGreaterThan(5)
    expect(places).toEqual(['refreshing.requesting.closed'])
  })

  it('docs/guides/testing.md links to each of its headings', () => {
    const headings = [...PAGE.matchAll(/^#+ (.*)$/gm)]
      .map(([, heading = '']) => anchorOf(heading))
      .filter((anchor) => !['testing-an-app-on-authchart', 'virtual-time'].includes(anchor))
    expect(headings.filter((heading) => !PAGE.includes(`(#${heading})`))).toEqual([])
  })
})
