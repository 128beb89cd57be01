import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

interface Rule {
  /** A folder with a slash at the end, or a single file. */
  readonly layer: string
  /** What it may import in addition to its own folder: folders, files, packages, or `node:` for all builtins. */
  readonly mayImport: readonly string[]
  /** The files of the folder may not import each other. */
  readonly separate?: boolean
}

/** The chart's words and rules, without the chart. */
const CHART_WORDS = [
  'machines/emitted.ts',
  'machines/policies.ts',
  'machines/ports.ts',
  'machines/vocabulary.ts',
]
/** What every part of a session may use. */
const FOUNDATION = [
  'src/core/errors.ts',
  'src/core/kernel.ts',
  'src/core/mailbox.ts',
  'src/core/messages.ts',
  'src/core/ports.ts',
  'src/core/proof-port.ts',
  'src/core/platform/',
]

// The first rule that covers a file applies, so the rule of a file comes before that of its folder.
const RULES: readonly Rule[] = [
  { layer: 'machines/auth.machine.ts', mayImport: ['machines/', 'xstate'] },
  { layer: 'machines/', mayImport: [] },
  { layer: 'src/core/ports.ts', mayImport: CHART_WORDS },
  { layer: 'src/core/proof-port.ts', mayImport: [] },
  { layer: 'src/core/errors.ts', mayImport: [...CHART_WORDS, 'src/core/messages.ts'] },
  { layer: 'src/core/messages.ts', mayImport: [] },
  { layer: 'src/core/mailbox.ts', mayImport: CHART_WORDS },
  {
    layer: 'src/core/options.ts',
    mayImport: [...CHART_WORDS, 'src/core/ports.ts', 'src/core/features/feature.ts'],
  },
  {
    layer: 'src/core/check-options.ts',
    mayImport: ['src/core/options.ts', 'src/core/features/feature.ts', 'src/core/platform/hints.ts'],
  },
  {
    layer: 'src/core/kernel.ts',
    mayImport: ['src/core/mailbox.ts', 'src/core/options.ts', 'src/core/ports.ts', 'src/core/platform/'],
  },
  // The library's own base of XState's actor.
  { layer: 'src/core/platform/safe-actor.ts', mayImport: ['xstate'] },
  { layer: 'src/core/platform/', mayImport: ['src/core/ports.ts'] },
  { layer: 'src/core/session/', mayImport: [...CHART_WORDS, ...FOUNDATION] },
  {
    layer: 'src/core/requests/',
    mayImport: [...CHART_WORDS, ...FOUNDATION, 'src/core/session/', 'src/core/auth.ts'],
  },
  {
    layer: 'src/core/features/feature.ts',
    mayImport: ['src/core/ports.ts', 'src/core/proof-port.ts'],
  },
  {
    layer: 'src/core/features/proof.ts',
    mayImport: [
      ...FOUNDATION,
      'src/core/session/',
      'src/core/requests/proven-request.ts',
      'src/core/features/feature.ts',
    ],
  },
  {
    layer: 'src/core/features/',
    mayImport: [
      ...CHART_WORDS,
      ...FOUNDATION,
      'src/core/session/',
      'src/core/features/feature.ts',
      'src/core/check-options.ts',
    ],
    separate: true,
  },
  { layer: 'src/core/auth-actor.ts', mayImport: ['machines/', 'src/core/', 'xstate'] },
  { layer: 'src/core/auth.ts', mayImport: ['machines/', 'src/core/', 'xstate'] },
  { layer: 'src/core/', mayImport: ['machines/'] },
  { layer: 'src/transports/ofetch.ts', mayImport: ['src/core/', 'src/transports/', 'ofetch'] },
  { layer: 'src/transports/axios.ts', mayImport: ['src/core/', 'src/transports/', 'axios'] },
  { layer: 'src/transports/axios/', mayImport: ['src/core/', 'src/transports/', 'axios'] },
  {
    layer: 'src/transports/angular/',
    mayImport: ['src/core/', 'src/transports/', '@angular/common/http', '@angular/core', 'rxjs'],
  },
  // Its types only.
  { layer: 'src/transports/undici.ts', mayImport: ['src/core/', 'src/transports/', 'undici'] },
  { layer: 'src/transports/undici/', mayImport: ['src/core/', 'src/transports/', 'undici'] },
  { layer: 'src/transports/connect.ts', mayImport: ['src/core/', 'src/transports/', '@connectrpc/connect'] },
  { layer: 'src/transports/connect/', mayImport: ['src/core/', 'src/transports/', '@connectrpc/connect'] },
  { layer: 'src/transports/grpc.ts', mayImport: ['src/core/', 'src/transports/', '@grpc/grpc-js'] },
  { layer: 'src/transports/grpc/', mayImport: ['src/core/', 'src/transports/', '@grpc/grpc-js'] },
  { layer: 'src/transports/', mayImport: ['src/core/'] },
  {
    layer: 'src/storage/',
    mayImport: [
      'machines/policies.ts',
      'src/core/',
      'src/environment/',
      'src/coordination/file.ts',
      'src/coordination/file-mark.ts',
      'unstorage',
    ],
  },
  { layer: 'src/environment/node.ts', mayImport: ['src/core/', 'node:'] },
  { layer: 'src/environment/', mayImport: ['src/core/'] },
  { layer: 'src/coordination/', mayImport: ['src/core/', 'src/environment/'] },
  {
    layer: 'src/fleet/',
    mayImport: [
      'machines/policies.ts',
      'src/core/',
      'src/coordination/awaited-answer.ts',
      'src/coordination/lock-timeout.ts',
      'src/environment/',
    ],
  },
  {
    layer: 'src/server/',
    mayImport: [
      'machines/emitted.ts',
      'machines/policies.ts',
      'machines/vocabulary.ts',
      'src/bindings/return-path.ts',
      'src/core/',
      'src/environment/',
      'src/fleet/',
      'src/transports/',
      'src/defaults.ts',
    ],
  },
  // The types of frameworks are written down, so that none of them is needed.
  { layer: 'src/adapters/', mayImport: ['src/server/bff/types.ts', 'node:http'] },
  { layer: 'src/bindings/react.ts', mayImport: ['src/core/', 'src/bindings/', 'react'] },
  { layer: 'src/bindings/react/', mayImport: ['src/core/', 'src/bindings/', 'react'] },
  { layer: 'src/bindings/vue.ts', mayImport: ['src/core/', 'src/bindings/', 'vue'] },
  { layer: 'src/bindings/vue/', mayImport: ['src/core/', 'src/bindings/', 'vue'] },
  { layer: 'src/bindings/solid.ts', mayImport: ['src/core/', 'src/bindings/', 'solid-js'] },
  { layer: 'src/bindings/solid/', mayImport: ['src/core/', 'src/bindings/', 'solid-js'] },
  { layer: 'src/bindings/svelte.ts', mayImport: ['src/core/', 'src/bindings/', 'svelte'] },
  {
    layer: 'src/bindings/svelte/',
    mayImport: ['src/core/', 'src/bindings/', 'svelte', 'svelte/reactivity', 'svelte/store'],
  },
  {
    layer: 'src/bindings/angular.ts',
    mayImport: ['src/core/', 'src/bindings/', 'src/transports/angular/', '@angular/core'],
  },
  {
    layer: 'src/bindings/angular/',
    mayImport: [
      'src/core/',
      'src/bindings/',
      'src/transports/angular/',
      '@angular/common',
      '@angular/common/http',
      '@angular/core',
      '@angular/router',
    ],
  },
  { layer: 'src/bindings/realtime.ts', mayImport: ['src/core/', 'src/bindings/'] },
  { layer: 'src/bindings/realtime/', mayImport: ['src/core/', 'src/bindings/', 'src/environment/'] },
  {
    layer: 'src/oauth2/logout-token.ts',
    mayImport: ['src/core/', 'src/oauth2/', 'jose'],
  },
  {
    layer: 'src/oauth2/mcp.ts',
    mayImport: ['src/core/', 'src/oauth2/', 'src/transports/fetch.ts'],
  },
  {
    layer: 'src/oauth2/',
    mayImport: [
      'src/core/',
      'src/environment/base64url.ts',
      'src/environment/clock.ts',
      'src/environment/global-types.ts',
      'src/environment/prerendered.ts',
      'src/environment/sha256.ts',
      'src/storage/indexed-db.ts',
      'src/bindings/return-path.ts',
      'oauth4webapi',
    ],
  },
  { layer: 'src/bindings/', mayImport: ['src/core/', 'machines/index.ts'] },
  {
    layer: 'src/worker/',
    mayImport: ['machines/index.ts', 'src/core/', 'src/environment/', 'src/transports/', 'xstate'],
  },
  {
    layer: 'src/devtools/',
    mayImport: ['src/core/', 'src/inspect/', 'machines/index.ts', 'machines/state-path.ts', 'xstate'],
  },
  {
    layer: 'src/inspect/',
    mayImport: [
      'machines/index.ts',
      'machines/state-path.ts',
      'src/core/',
      'src/environment/report.ts',
      'xstate',
    ],
  },
  {
    layer: 'src/testing/',
    mayImport: ['machines/', 'src/core/', 'src/defaults.ts', 'xstate', 'node:'],
  },
  { layer: 'src/file.ts', mayImport: ['src/core/', 'src/storage/', 'src/coordination/'] },
  { layer: 'src/react-native.ts', mayImport: ['src/core/', 'src/storage/', 'src/environment/'] },
  { layer: 'src/defaults.ts', mayImport: ['src/core/', 'src/storage/', 'src/environment/'] },
  {
    layer: 'src/index.ts',
    mayImport: ['machines/index.ts', 'src/core/', 'src/storage/', 'src/environment/', 'src/defaults.ts'],
  },
]

const root = new URL('../../', import.meta.url)

function sourceFiles(folder: string): string[] {
  return readdirSync(new URL(folder, root), { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return sourceFiles(`${folder}${entry.name}/`)
    return /\.[cm]?tsx?$/.test(entry.name) ? [`${folder}${entry.name}`] : []
  })
}

function ruleFor(file: string): Rule | undefined {
  return RULES.find(({ layer }) => covers(layer, file))
}

function covers(allowed: string, name: string): boolean {
  return allowed.endsWith('/') || allowed.endsWith(':') ? name.startsWith(allowed) : name === allowed
}

/** All imports of a file: static, re-exported, types and dynamic. */
function importsOf(text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName)
}

/** The path of a relative import from the root; a package or builtin as it is written. */
function resolve(file: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier
}

function violations(file: string, text: string): string[] {
  const rule = ruleFor(file)
  if (rule === undefined) return [`${file} has no rule`]
  const ownFolder = rule.layer.endsWith('/') && !rule.separate ? [rule.layer] : []
  const allowed = [...rule.mayImport, ...ownFolder]
  return importsOf(text)
    .map((specifier) => resolve(file, specifier))
    .filter((name) => !allowed.some((entry) => covers(entry, name)))
    .map((name) => `${file} imports ${name}`)
}

const FILES = [...sourceFiles('machines/'), ...sourceFiles('src/')]
const textOf = (file: string) => readFileSync(new URL(file, root), 'utf8')

/** The files of each import circle, one circle after the other. */
function circlesIn(imports: ReadonlyMap<string, readonly string[]>): string[][] {
  const done = new Set<string>()
  const circles: string[][] = []
  const visit = (file: string, path: readonly string[]) => {
    const start = path.indexOf(file)
    if (start >= 0) circles.push([...path.slice(start), file])
    if (start >= 0 || done.has(file)) return
    for (const next of imports.get(file) ?? []) visit(next, [...path, file])
    done.add(file)
  }
  for (const file of imports.keys()) visit(file, [])
  return circles
}

const linesOf = (text: string) => text.trimEnd().split('\n').length

/** The functions of a file with more than so many lines. */
function longFunctions(file: string, text: string, most: number): string[] {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true)
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isFunctionLike(node) && 'body' in node && node.body) {
      const lines = linesOf(node.getText())
      const name = node.name?.getText() ?? 'a function without a name'
      if (lines > most) found.push(`${file}: ${name} has ${lines} lines`)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

describe('the import rules', () => {
  it.each(FILES)('%s imports only what its layer may import', (file) => {
    expect(violations(file, textOf(file))).toEqual([])
  })

  it.each([
    ['src/core/a.ts', "import { x } from 'xstate'", 'xstate'],
    ['src/core/platform/a.ts', "import type { K } from '../kernel.ts'", 'src/core/kernel.ts'],
    [
      'src/core/platform/a.ts',
      "import { isIdle } from '../../../machines/policies.ts'",
      'machines/policies.ts',
    ],
    ['src/core/session/a.ts', "import type { G } from '../requests/gate.ts'", 'src/core/requests/gate.ts'],
    ['src/core/session/a.ts', "import { h } from '../features/history.ts'", 'src/core/features/history.ts'],
    ['src/core/session/a.ts', "import { x } from '../../../machines/index.ts'", 'machines/index.ts'],
    ['src/core/session/a.ts', "import type { A } from '../auth.ts'", 'src/core/auth.ts'],
    ['src/core/requests/a.ts', "import { h } from '../features/history.ts'", 'src/core/features/history.ts'],
    ['src/core/requests/a.ts', "import { c } from '../create-auth.ts'", 'src/core/create-auth.ts'],
    ['src/core/features/a.ts', "import { share } from './share.ts'", 'src/core/features/share.ts'],
    ['src/core/features/a.ts', "import type { G } from '../requests/gate.ts'", 'src/core/requests/gate.ts'],
    ['src/core/kernel.ts', "import type { V } from './session/vault.ts'", 'src/core/session/vault.ts'],
    ['machines/policies.ts', "import { x } from 'xstate'", 'xstate'],
    ['src/core/a.ts', "import type { X } from '../transports/fetch.ts'", 'src/transports/fetch.ts'],
    ['src/core/a.ts', "export * from '../storage/index.ts'", 'src/storage/index.ts'],
    ['src/core/a.ts', "const x = await import('node:fs')", 'node:fs'],
    ['src/core/a.ts', "type X = import('axios').AxiosInstance", 'axios'],
    ['machines/a.ts', "import { x } from 'xstate/graph'", 'xstate/graph'],
    ['machines/a.ts', "import '../src/index.ts'", 'src/index.ts'],
    ['src/transports/axios.ts', "import { ofetch } from 'ofetch'", 'ofetch'],
    ['src/transports/fetch.ts', "import { createActor } from 'xstate'", 'xstate'],
    ['src/index.ts', "export * from './transports/axios.ts'", 'src/transports/axios.ts'],
  ])('a forbidden import in %s is reported: %s', (file, text, name) => {
    expect(violations(file, text)).toEqual([`${file} imports ${name}`])
  })

  it('the type of an auth names XState, but its file does not load it', () => {
    const fromXstate = textOf('src/core/auth.ts').match(/^import .*'xstate'$/gm)
    expect(fromXstate?.filter((line) => !line.startsWith('import type '))).toEqual([])
  })

  it('a folder without an import rule is reported', () => {
    expect(violations('src/novelty/a.ts', '')).toEqual(['src/novelty/a.ts has no rule'])
  })
})

describe('the imports of all files', () => {
  const importsByFile = new Map(
    FILES.map((file) => [file, importsOf(textOf(file)).map((name) => resolve(file, name))]),
  )

  it('have no circle, not even of types', () => {
    expect(circlesIn(importsByFile).map((circle) => circle.join(' -> '))).toEqual([])
  })

  it('would be reported if they had a circle', () => {
    const circular = new Map([
      ['a', ['b']],
      ['b', ['c', 'd']],
      ['c', ['b']],
      ['d', []],
    ])
    expect(circlesIn(circular)).toEqual([['b', 'c', 'b']])
  })
})

describe('the size of the code', () => {
  const MOST_LINES = 350
  const MOST_LINES_OF_A_FUNCTION = 150
  /** The literal of the chart is one piece, so that Stately's tools can read it. */
  const LARGER: { readonly [file: string]: number } = {
    'machines/auth.machine.ts': 850,
  }

  it.each(FILES)('%s is not too long, and neither are its functions', (file) => {
    const text = textOf(file)
    expect(linesOf(text)).toBeLessThanOrEqual(LARGER[file] ?? MOST_LINES)
    expect(longFunctions(file, text, MOST_LINES_OF_A_FUNCTION)).toEqual([])
  })

  it('is measured for methods and arrow functions, too', () => {
    const text = 'class A {\n  b() {\n    return 1\n  }\n}\nconst c = () => {\n  return 2\n}\n'
    expect(longFunctions('a.ts', text, 2)).toEqual([
      'a.ts: b has 3 lines',
      'a.ts: a function without a name has 3 lines',
    ])
  })
})
