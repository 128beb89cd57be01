import { readdirSync, readFileSync } from 'node:fs'
import axios from 'axios'
import ts from 'typescript'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AnyStateNode } from 'xstate'
import { authMachine } from '../../machines/index.ts'
import manifest from '../../package.json' with { type: 'json' }
import { resolveOptions } from '../../src/core/resolve-options.ts'
import * as authchart from '../../src/index.ts'
import * as authchartTesting from '../../src/testing/index.ts'
import { createTokenServer } from '../../src/testing/token-server/token-server.ts'
import * as authchartAxios from '../../src/transports/axios.ts'
import * as authchartFetch from '../../src/transports/fetch.ts'
import * as authchartOfetch from '../../src/transports/ofetch.ts'
import {
  classesOf,
  fieldsOf,
  literalsOf,
  membersOf,
  namesIn,
  root,
  type Snippet,
  SOURCES,
  snippetsOf,
  tableUnder,
} from './readme-source.ts'

const snippets = snippetsOf()
const README = readFileSync(new URL('README.md', root), 'utf8')
const DRAWINGS = readFileSync(new URL('visualizations/README.md', root), 'utf8')

describe('the snippets of the README', () => {
  it('at least twelve snippets are found in the README', () => {
    expect(snippets.length).toBeGreaterThanOrEqual(12)
  })
})

const MODULES: Readonly<Record<string, unknown>> = {
  authchart,
  'authchart/fetch': authchartFetch,
  'authchart/ofetch': authchartOfetch,
  'authchart/axios': authchartAxios,
  'authchart/testing': authchartTesting,
  axios: { __esModule: true, default: axios },
}

/** Runs a snippet as a module. Returns its exports and what it printed. */
async function run({ code }: Snippet, url = '') {
  const { outputText } = ts.transpileModule(code.replaceAll('https://api.example.com', url), {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  })
  const exports: Record<string, unknown> = {}
  const printed: unknown[][] = []
  const load = (name: string) => {
    if (!(name in MODULES)) throw new Error(`The snippet imports ${name}`)
    return MODULES[name]
  }
  const AsyncFunction = (async () => {}).constructor as typeof Function
  const body = new AsyncFunction('require', 'exports', 'console', outputText)
  await body(load, exports, { log: (...values: unknown[]) => printed.push(values) })
  return { exports: exports as { auth: authchart.Auth; api: (path: string) => Promise<unknown> }, printed }
}

describe('the quick starts', () => {
  const starts = snippets.filter(({ heading }) => ['fetch', 'ofetch', 'axios'].includes(heading))

  it('a quick start exists for each transport', () => {
    expect(starts.map(({ heading }) => heading)).toEqual(['fetch', 'ofetch', 'axios'])
  })

  it.each(starts)(
    'the quick start for $heading signs in, refreshes and receives the end of the session',
    async (snippet) => {
      const server = createTokenServer()
      const { url, close } = await server.listen()
      onTestFinished(close)

      const { exports, printed } = await run(snippet, url)
      const { auth, api } = exports
      onTestFinished(() => auth.dispose())
      expect(printed).toEqual([[expect.objectContaining({ path: '/api/me', subject: 'ada', generation: 1 })]])

      // Several requests at once with an expired token, like in an app.
      const me = snippet.heading === 'fetch' ? `${url}/api/me` : '/me'
      server.expireAccessTokens()
      await Promise.all([api(me), api(me), api(me)])
      expect(server.refreshes).toBe(1)
      expect(server.log.filter(({ path, status }) => path === '/api/me' && status === 200)).toHaveLength(4)

      server.killRefreshTokens()
      server.expireAccessTokens()
      await expect(api(me)).rejects.toThrow(authchart.SessionExpiredError)
      expect(printed.slice(1)).toEqual([['Sign in again:', 'invalid_grant']])
    },
  )
})

describe('the recipe for tests', () => {
  it('the recipe for tests refreshes when its clock is moved', async () => {
    const recipe = snippets.find(({ code }) => code.includes('createVirtualClock'))
    expect((await run(recipe!)).printed).toEqual([['at-2']])
  })
})

describe('the tables of the README', () => {
  const options = tableUnder('Options')
  const optionNames = namesIn(options)

  it('the tables name every option, and nothing else', () => {
    expect([...optionNames].sort()).toEqual(
      [
        ...membersOf('src/core/options.ts', 'AuthOptions'),
        ...membersOf('src/transports/origins.ts', 'OriginOptions'),
        ...membersOf('src/transports/fetch.ts', 'TransportOptions'),
        ...membersOf('src/transports/fetch.ts', 'AuthFetchOptions'),
        ...membersOf('src/transports/ofetch.ts', 'AuthOfetchOptions'),
      ].sort(),
    )
  })

  it('the Options table shows the real defaults', () => {
    const { retry, timeouts, queueLimit, historyLimit, ...rest } = resolveOptions({ refresh: () => ({}) })
    const numbers = {
      ...Object.fromEntries(Object.entries(retry).map(([key, value]) => [`retry.${key}`, value])),
      ...Object.fromEntries(Object.entries(timeouts).map(([key, value]) => [`timeouts.${key}`, value])),
      queueLimit,
      historyLimit,
    }
    const words = {
      refreshOn: rest.refreshOn,
      whenExpired: rest.whenExpired,
      ambiguousRefresh: rest.ambiguousRefresh,
    }
    const listed = Object.fromEntries(options.map((row) => [namesIn([row])[0], row[2]]))
    expect(listed).toMatchObject({
      ...Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, value.toLocaleString('en')])),
      ...Object.fromEntries(Object.entries(words).map(([key, value]) => [key, `\`'${value}'\``])),
    })
  })

  it.each(membersOf('src/core/features/session-limits.ts', 'SessionLimitsOptions'))(
    'the Options table names the limit %s',
    (name) => {
      const [row] = options.filter((cells) => namesIn([cells])[0] === 'limits')
      expect(row?.[3]).toContain(`\`${name}\``)
    },
  )

  it('the table of sizes has a row for each import, and the sizes of two bundlers in each', () => {
    const [, table = ''] = README.split(/<!-- \/?sizes -->/)
    const rows = tableUnder('Sizes', `\n## Sizes\n${table}`)
    expect(rows.map((cells) => namesIn([cells]).at(-1))).toEqual([
      'createAuth',
      'createAuthFetch',
      'webStorage',
      'tabCoordinator',
      'sessionLimits',
    ])
    // `npm run size -- --write` replaces the ellipses.
    for (const cells of rows) {
      expect(cells).toHaveLength(5)
      for (const size of cells.slice(1)) expect(size).toMatch(/^(?:…|\d+\.\d kB)$/)
    }
  })

  it('the Members table names every member of an auth, and nothing else', () => {
    const members = membersOf('src/core/auth.ts', 'Auth').filter((name) => !name.startsWith('['))
    expect([...new Set(namesIn(tableUnder('Members of `auth`')))].sort()).toEqual(
      [...new Set(members)].sort(),
    )
  })

  it.each(membersOf('src/core/auth.ts', 'AccessTokenOptions'))(
    'the Members table names the option %s of getAccessToken',
    (name) => {
      const [row] = tableUnder('Members of `auth`').filter(([cell]) => cell?.includes('getAccessToken'))
      expect(row?.[1]).toContain(`\`${name}\``)
    },
  )

  it('the Events table names every event with its fields, and nothing else', () => {
    const listed = tableUnder('Events').map((row) => [namesIn([row])[0], namesIn([row], 2)])
    // The row of `transition` also has an example of a path.
    const carried = listed.map(([type, names]) => [type, type === 'transition' ? names?.slice(0, 2) : names])
    expect(Object.fromEntries(carried)).toEqual(fieldsOf('machines/vocabulary.ts', 'AuthEmitted'))
    for (const name of membersOf('machines/vocabulary.ts', 'AuthFacts')) {
      expect(/^Every event carries .*$/m.exec(README)?.[0]).toContain(`\`${name}\``)
    }
  })

  it('the Errors table names every error with its code, and nothing else', () => {
    const errors = tableUnder('Errors')
    expect(namesIn(errors).sort()).toEqual(classesOf('src/core/errors.ts').sort())
    expect(namesIn(errors, 1).sort()).toEqual(literalsOf('src/core/errors.ts', 'AuthErrorCode').sort())
    for (const row of errors) {
      const [name, code] = [...namesIn([row]), ...namesIn([row], 1)]
      const Class = (authchart as any)[name!]
      const error = new Class({})
      expect([error.name, error.code]).toEqual([name, code])
      expect(error).toBeInstanceOf(authchart.AuthError)
    }
  })

  it.each(literalsOf('machines/vocabulary.ts', 'Reason'))('the README names the reason %s', (reason) => {
    expect(README).toContain(`\`${reason}\``)
  })

  const paths = (node: AnyStateNode): string[] =>
    Object.values(node.states as Record<string, AnyStateNode>).flatMap((child) => [
      child.path.join('.'),
      ...paths(child),
    ])
  const states = paths(authMachine.root)

  it('the chart table names every top-level state, and nothing else', () => {
    expect(namesIn(tableUnder('The chart')).sort()).toEqual(
      states.filter((path) => !path.includes('.')).sort(),
    )
  })

  it('the page of the drawings names every inner state, and nothing else', () => {
    const leaves = states.filter(
      (path) => path.includes('.') && !states.some((other) => other.startsWith(`${path}.`)),
    )
    expect(namesIn(tableUnder('Inner states', DRAWINGS)).sort()).toEqual(leaves.sort())
  })
})

describe('the README as a whole', () => {
  it('the README names every entry of the package', () => {
    const { './package.json': _, ...entries } = manifest.exports
    const names = Object.keys(entries).map((subpath) => subpath.replace('.', 'authchart'))
    expect(Object.keys(SOURCES).sort()).toEqual(names.sort())
    for (const name of names) expect(README).toContain(`\`${name}\``)
  })

  it('the README names only npm scripts that exist', () => {
    const named = [...`${README}${DRAWINGS}`.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name!)
    expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(named))
  })

  it.each([
    ['README.md', README],
    ['visualizations/README.md', DRAWINGS],
  ])('%s links only to existing files', (page, text) => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path!)
    const exists = (path: string) => {
      const url = new URL(path, new URL(page, root))
      return readdirSync(new URL('.', url)).includes(url.pathname.split('/').at(-1)!)
    }
    expect(links.length).toBeGreaterThan(0)
    expect(links.filter((path) => !exists(path))).toEqual([])
  })

  it('the README has a heading for each link to an anchor', () => {
    const slug = (heading: string) =>
      heading
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replaceAll(' ', '-')
    const headings = [...README.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => slug(heading!))
    const anchors = [...`${README}${DRAWINGS}`.matchAll(/\]\((?:\.\.\/README\.md)?#([^)]+)\)/g)].map(
      ([, a]) => a!,
    )
    expect(anchors.filter((anchor) => !headings.includes(anchor))).toEqual([])
  })
})
