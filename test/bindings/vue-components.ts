/** Type-checks single-file components: compiles their scripts and templates first, which TypeScript alone cannot do. */
import { readdirSync, readFileSync } from 'node:fs'
import { basename } from 'node:path'
import ts from 'typescript'
import { compileScript, parse } from 'vue/compiler-sfc'

const root = new URL('../../', import.meta.url).pathname

/** A component, by its real or imagined path from the root. */
export type Components = Readonly<Record<string, string>>

export function componentsIn(folder: string): Components {
  const names = readdirSync(`${root}${folder}`).filter((name) => name.endsWith('.vue'))
  return Object.fromEntries(
    names.map((name) => [`${folder}/${name}`, readFileSync(`${root}${folder}/${name}`, 'utf8')]),
  )
}

/** Exports of Vue that compiled components import, but that its types do not declare. */
const INTERNALS = `
  declare module 'vue' {
    export function withAsyncContext(ask: () => unknown): [any, () => void]
  }
  export {}
`

/** Compiles a component to a TypeScript module. */
function toModule(path: string, source: string): string {
  const { descriptor, errors } = parse(source, { filename: basename(path) })
  if (errors.length > 0) throw errors[0]
  const { content } = compileScript(descriptor, { id: path, inlineTemplate: true })
  return content
}

/** The files that several programs share. To parse them takes longer than to check the components. */
const parsed = new Map<string, ts.SourceFile>()

/** Returns the type errors of the components as `app.vue: message`. `files` are other imported modules, by path. */
export function componentProblems(components: Components, files: Components = {}): string[] {
  const modules = new Map([
    // The first one: once TypeScript has merged what vue-router adds to `vue`, it overlooks further exports.
    [`${root}examples/vue/internals.ts`, INTERNALS] as const,
    ...Object.entries(components).map(
      ([path, source]) => [`${root}${path}.ts`, toModule(path, source)] as const,
    ),
    ...Object.entries(files).map(([path, text]) => [`${root}${path}`, text] as const),
  ])
  const { config } = ts.readConfigFile(`${root}tsconfig.json`, ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root)
  const host = ts.createCompilerHost(options)
  const { fileExists, readFile, getSourceFile } = host
  host.fileExists = (file) => modules.has(file) || fileExists.call(host, file)
  host.readFile = (file) => modules.get(file) ?? readFile.call(host, file)
  host.getSourceFile = (file, version, ...rest) => {
    const text = modules.get(file)
    if (text !== undefined) return ts.createSourceFile(file, text, version)
    const source = parsed.get(file) ?? getSourceFile.call(host, file, version, ...rest)
    if (source) parsed.set(file, source)
    return source
  }
  const program = ts.createProgram(
    [...modules.keys(), ...['common/css', 'vue/vue-files'].map((file) => `${root}examples/${file}.d.ts`)],
    options,
    host,
  )
  return Object.keys(components).flatMap((path) =>
    ts.getPreEmitDiagnostics(program, program.getSourceFile(`${root}${path}.ts`)).map(({ messageText }) => {
      return `${basename(path)}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`
    }),
  )
}
