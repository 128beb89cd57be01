import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'

interface Rule {
  /** A folder, ending in a slash, or a single file. */
  readonly layer: string
  /** What it may import besides its own folder: folders, files, packages, or `node:` for all builtins. */
  readonly mayImport: readonly string[]
}

// The first rule that covers a file decides, so a file's own rule stands above its folder's.
const RULES: readonly Rule[] = [
  { layer: 'machines/', mayImport: ['xstate'] },
  { layer: 'src/core/', mayImport: ['xstate', 'machines/index.ts'] },
  { layer: 'src/transports/ofetch.ts', mayImport: ['src/core/', 'src/transports/', 'ofetch'] },
  { layer: 'src/transports/axios.ts', mayImport: ['src/core/', 'src/transports/', 'axios'] },
  { layer: 'src/transports/', mayImport: ['src/core/'] },
  {
    layer: 'src/storage/',
    mayImport: ['src/core/', 'src/environment/', 'src/coordination/file.ts', 'unstorage'],
  },
  { layer: 'src/environment/node.ts', mayImport: ['src/core/', 'node:'] },
  { layer: 'src/environment/', mayImport: ['src/core/'] },
  { layer: 'src/coordination/', mayImport: ['src/core/', 'src/environment/'] },
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
  { layer: 'src/bindings/angular.ts', mayImport: ['src/core/', 'src/bindings/', '@angular/core'] },
  {
    // HttpClient is a transport, too.
    layer: 'src/bindings/angular/',
    mayImport: [
      'src/core/',
      'src/bindings/',
      'src/transports/body.ts',
      'src/transports/elsewhere.ts',
      'src/transports/judge.ts',
      'src/transports/origins.ts',
      '@angular/common',
      '@angular/common/http',
      '@angular/core',
      '@angular/router',
      'rxjs',
    ],
  },
  { layer: 'src/bindings/realtime.ts', mayImport: ['src/core/', 'src/bindings/'] },
  { layer: 'src/bindings/realtime/', mayImport: ['src/core/', 'src/bindings/', 'src/environment/'] },
  { layer: 'src/bindings/', mayImport: ['src/core/', 'machines/index.ts'] },
  {
    layer: 'src/worker/',
    mayImport: ['machines/index.ts', 'src/core/', 'src/environment/', 'src/transports/', 'xstate'],
  },
  { layer: 'src/devtools/', mayImport: ['src/core/', 'src/inspect/', 'machines/index.ts', 'xstate'] },
  {
    layer: 'src/inspect/',
    mayImport: ['machines/index.ts', 'src/core/', 'src/environment/report.ts', 'xstate'],
  },
  {
    layer: 'src/testing/',
    mayImport: ['machines/', 'src/core/', 'src/defaults.ts', 'xstate', 'xstate/graph', 'node:'],
  },
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

/** Static imports, re-exports, type imports and dynamic imports alike. */
function importsOf(text: string): string[] {
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName)
}

/** A relative import by its path from the root; a package or builtin as it is written. */
function resolve(file: string, specifier: string): string {
  return specifier.startsWith('.') ? posix.join(posix.dirname(file), specifier) : specifier
}

function violations(file: string, text: string): string[] {
  const rule = ruleFor(file)
  if (rule === undefined) return [`${file} has no rule`]
  const allowed = [...rule.mayImport, ...(rule.layer.endsWith('/') ? [rule.layer] : [])]
  return importsOf(text)
    .map((specifier) => resolve(file, specifier))
    .filter((name) => !allowed.some((entry) => covers(entry, name)))
    .map((name) => `${file} imports ${name}`)
}

describe('who may import whom', () => {
  it.each([...sourceFiles('machines/'), ...sourceFiles('src/')])('%s keeps to its layer', (file) => {
    expect(violations(file, readFileSync(new URL(file, root), 'utf8'))).toEqual([])
  })

  it.each([
    ['src/core/a.ts', "import { x } from '../../machines/auth.machine.ts'", 'machines/auth.machine.ts'],
    ['src/core/a.ts', "import type { X } from '../transports/fetch.ts'", 'src/transports/fetch.ts'],
    ['src/core/a.ts', "export * from '../storage/index.ts'", 'src/storage/index.ts'],
    ['src/core/a.ts', "const x = await import('node:fs')", 'node:fs'],
    ['src/core/a.ts', "type X = import('axios').AxiosInstance", 'axios'],
    ['machines/a.ts', "import { x } from 'xstate/graph'", 'xstate/graph'],
    ['machines/a.ts', "import '../src/index.ts'", 'src/index.ts'],
    ['src/transports/axios.ts', "import { ofetch } from 'ofetch'", 'ofetch'],
    ['src/transports/fetch.ts', "import { createActor } from 'xstate'", 'xstate'],
    ['src/index.ts', "export * from './transports/axios.ts'", 'src/transports/axios.ts'],
  ])('in %s, notices %s', (file, text, name) => {
    expect(violations(file, text)).toEqual([`${file} imports ${name}`])
  })

  it('notices a folder without a rule', () => {
    expect(violations('src/novelty/a.ts', '')).toEqual(['src/novelty/a.ts has no rule'])
  })
})
