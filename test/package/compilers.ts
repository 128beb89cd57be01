/** Compiles a consumer of the package with a version of TypeScript. */
import { execFile } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import type Typescript from 'typescript'

export interface Compilation {
  /** The folder of the consumer. */
  readonly folder: string
  readonly files: readonly string[]
  /** Whether to check the types of XState, too. */
  readonly withXState?: boolean
  readonly compilerOptions: Readonly<Record<string, unknown>>
}

/** Returns errors like `app.ts: Cannot find name 'x'.`, with paths from the folder of the consumer. */
export type Compiler = (compilation: Compilation) => Promise<readonly string[]>

const execute = promisify(execFile)

/**
 * Compiles by the API, which is fast enough for many compilations: it parses each file once, and checks none of the
 * peers but XState, on request. The command of TypeScript 7 checks all of them.
 */
function byApi(typescript: string): Compiler {
  const ts: typeof Typescript = createRequire(import.meta.url)(typescript)
  const parsed = new Map<string, Typescript.SourceFile | undefined>()
  return async ({ folder, files, compilerOptions, withXState = false }) => {
    const { options, errors } = ts.convertCompilerOptionsFromJson(compilerOptions, folder)
    const host = ts.createCompilerHost(options)
    const { getSourceFile } = host
    host.getSourceFile = (name, version, ...rest) => {
      const key = JSON.stringify([name, version])
      if (!parsed.has(key)) parsed.set(key, getSourceFile.call(host, name, version, ...rest))
      return parsed.get(key)
    }
    host.getCurrentDirectory = () => folder
    const program = ts.createProgram(
      files.map((file) => join(folder, file)),
      options,
      host,
    )
    const checked = program
      .getSourceFiles()
      .filter(
        ({ fileName }) =>
          fileName.startsWith(folder) || (withXState && fileName.includes('/node_modules/xstate/')),
      )
    return [
      ...errors,
      ...program.getOptionsDiagnostics(),
      ...program.getGlobalDiagnostics(),
      ...checked.flatMap((file) => [
        ...program.getSyntacticDiagnostics(file),
        ...program.getSemanticDiagnostics(file),
      ]),
    ].map(({ file, messageText }) => {
      const path = file ? relative(folder, file.fileName) : 'options'
      return `${path}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
    })
  }
}

/** Compiles by the command `tsc`: TypeScript 7 has no API in JavaScript. */
function byCommand(tsc: string): Compiler {
  return async ({ folder, files, compilerOptions }) => {
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }))
    const running = execute(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], { cwd: folder })
    const { stdout } = await running.catch((error: { stdout: string }) => error)
    return stdout.split('\n').flatMap((line) => {
      const [, path, text] = /^(\S.*?)(?:\(\d+,\d+\))?: error (.*)$/.exec(line) ?? []
      return path ? [`${path}: ${text}`] : []
    })
  }
}

const INSTALLED = ['typescript/5.4', 'typescript/5.9', '../..', 'typescript/7.0'].map(
  (place) => new URL(`${place}/node_modules/typescript/`, import.meta.url).pathname,
)

/** The compilers, by their versions. */
export const COMPILERS: readonly (readonly [version: string, compile: Compiler])[] = INSTALLED.map(
  (place) => {
    const { version } = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8'))
    return [version, Number.parseInt(version, 10) < 7 ? byApi(place) : byCommand(join(place, 'bin/tsc'))]
  },
)
