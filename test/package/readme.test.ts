import { readdirSync, readFileSync } from 'node:fs'
import axios from 'axios'
import ts from 'typescript'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { AnyStateNode } from 'xstate'
import { authMachine } from '../../machines/index.ts'
import manifest from '../../package.json' with { type: 'json' }
import { settle } from '../../src/core/options.ts'
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
  it('are found', () => {
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

/** Runs a snippet as a module; gives what it exports and what it printed. */
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

  it('are there for each transport', () => {
    expect(starts.map(({ heading }) => heading)).toEqual(['fetch', 'ofetch', 'axios'])
  })

  it.each(starts)('signs in, renews and hears of the end: $heading', async (snippet) => {
    const server = createTokenServer()
    const { url, close } = await server.listen()
    onTestFinished(close)

    const { exports, printed } = await run(snippet, url)
    const { auth, api } = exports
    onTestFinished(() => auth.dispose())
    expect(printed).toEqual([[expect.objectContaining({ path: '/api/me', subject: 'ada', generation: 1 })]])

    // As an app goes on using it: several requests at once, with a token that has died.
    const me = snippet.heading === 'fetch' ? `${url}/api/me` : '/me'
    server.expireAccessTokens()
    await Promise.all([api(me), api(me), api(me)])
    expect(server.refreshes).toBe(1)
    expect(server.log.filter(({ path, status }) => path === '/api/me' && status === 200)).toHaveLength(4)

    server.killRefreshTokens()
    server.expireAccessTokens()
    await expect(api(me)).rejects.toThrow(authchart.SessionExpiredError)
    expect(printed.slice(1)).toEqual([['Sign in again:', 'invalid_grant']])
  })
})

describe('the recipe for tests', () => {
  it('renews when its clock is moved', async () => {
    const recipe = snippets.find(({ code }) => code.includes('createVirtualClock'))
    expect((await run(recipe!)).printed).toEqual([['at-2']])
  })
})

describe('the tables of the README', () => {
  const options = tableUnder('Options')
  const optionNames = namesIn(options)

  it('name every option, and nothing that is none', () => {
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

  it('tell the defaults as they are', () => {
    const { retry, timeouts, queueLimit, historyLimit, ...rest } = settle({ refresh: () => ({}) })
    const numbers = {
      ...Object.fromEntries(Object.entries(retry).map(([key, value]) => [`retry.${key}`, value])),
      ...Object.fromEntries(Object.entries(timeouts).map(([key, value]) => [`timeouts.${key}`, value])),
      queueLimit,
      historyLimit,
    }
    const words = {
      renew: rest.renew,
      whenExpired: rest.whenExpired,
      ambiguousRefresh: rest.ambiguousRefresh,
    }
    const told = Object.fromEntries(options.map((row) => [namesIn([row])[0], row[2]]))
    expect(told).toMatchObject({
      ...Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, value.toLocaleString('en')])),
      ...Object.fromEntries(Object.entries(words).map(([key, value]) => [key, `\`'${value}'\``])),
    })
  })

  it('name every member of an auth, and nothing that is none', () => {
    const members = membersOf('src/core/auth.ts', 'Auth').filter((name) => !name.startsWith('['))
    expect([...new Set(namesIn(tableUnder('Members of `auth`')))].sort()).toEqual(
      [...new Set(members)].sort(),
    )
  })

  it.each(membersOf('src/core/auth.ts', 'AccessTokenOptions'))(
    'name the option %s of getAccessToken',
    (name) => {
      const [row] = tableUnder('Members of `auth`').filter(([cell]) => cell?.includes('getAccessToken'))
      expect(row?.[1]).toContain(`\`${name}\``)
    },
  )

  it('name every event with what it carries, and nothing that is none', () => {
    const told = tableUnder('Events').map((row) => [namesIn([row])[0], namesIn([row], 2)])
    // `transition` also shows an example of a path.
    const carried = told.map(([type, names]) => [type, type === 'transition' ? names?.slice(0, 2) : names])
    expect(Object.fromEntries(carried)).toEqual(fieldsOf('machines/vocabulary.ts', 'AuthEmitted'))
    for (const name of membersOf('machines/vocabulary.ts', 'AuthFacts')) {
      expect(/^Every event carries .*$/m.exec(README)?.[0]).toContain(`\`${name}\``)
    }
  })

  it('name every error with its code, and nothing that is none', () => {
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

  it.each(literalsOf('machines/vocabulary.ts', 'Reason'))('tell of the reason %s', (reason) => {
    expect(README).toContain(`\`${reason}\``)
  })

  const paths = (node: AnyStateNode): string[] =>
    Object.values(node.states as Record<string, AnyStateNode>).flatMap((child) => [
      child.path.join('.'),
      ...paths(child),
    ])
  const states = paths(authMachine.root)

  it('name every state of the chart, and nothing that is none', () => {
    expect(namesIn(tableUnder('The chart')).sort()).toEqual(
      states.filter((path) => !path.includes('.')).sort(),
    )
  })

  it('leave the inner states to the drawings, which name them all', () => {
    const leaves = states.filter(
      (path) => path.includes('.') && !states.some((other) => other.startsWith(`${path}.`)),
    )
    expect(namesIn(tableUnder('Inner states', DRAWINGS)).sort()).toEqual(leaves.sort())
  })
})

describe('the README as a whole', () => {
  it('names every entry of the package', () => {
    const { './package.json': _, ...entries } = manifest.exports
    const names = Object.keys(entries).map((subpath) => subpath.replace('.', 'authchart'))
    expect(Object.keys(SOURCES).sort()).toEqual(names.sort())
    for (const name of names) expect(README).toContain(`\`${name}\``)
  })

  it('names only scripts that exist', () => {
    const named = [...`${README}${DRAWINGS}`.matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name!)
    expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(named))
  })

  it.each([
    ['README.md', README],
    ['visualizations/README.md', DRAWINGS],
  ])('leads nowhere that is not there: %s', (page, text) => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, path]) => path!)
    const there = (path: string) => {
      const url = new URL(path, new URL(page, root))
      return readdirSync(new URL('.', url)).includes(url.pathname.split('/').at(-1)!)
    }
    expect(links.length).toBeGreaterThan(0)
    expect(links.filter((path) => !there(path))).toEqual([])
  })

  it('has a heading for each link within the page', () => {
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
