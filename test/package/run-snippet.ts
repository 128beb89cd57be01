/** Runs the snippets of the pages as modules. */
import axios from 'axios'
import ts from 'typescript'
import * as authchart from '../../src/index.ts'
import * as authchartTesting from '../../src/testing/index.ts'
import * as authchartAxios from '../../src/transports/axios.ts'
import * as authchartFetch from '../../src/transports/fetch.ts'
import * as authchartOfetch from '../../src/transports/ofetch.ts'
import type { Snippet } from './readme-source.ts'

const MODULES: Readonly<Record<string, unknown>> = {
  authchart,
  'authchart/fetch': authchartFetch,
  'authchart/ofetch': authchartOfetch,
  'authchart/axios': authchartAxios,
  'authchart/testing': authchartTesting,
  axios: { __esModule: true, default: axios },
}

/** What a snippet exported, and what it printed. */
export interface Ran {
  readonly exports: Readonly<Record<string, unknown>> & {
    readonly auth: authchart.Auth
    readonly api: typeof fetch
  }
  readonly printed: readonly (readonly unknown[])[]
}

/**
 * Runs a snippet. It prints into the result.
 *
 * @param url what replaces `https://api.example.com`
 * @param given values that the snippet uses without declaring them
 */
export async function runSnippet(
  { code }: Pick<Snippet, 'code'>,
  url = '',
  given: Readonly<Record<string, unknown>> = {},
  modules: Readonly<Record<string, unknown>> = {},
): Promise<Ran> {
  const { outputText } = ts.transpileModule(code.replaceAll('https://api.example.com', url), {
    compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
  })
  const exports = {} as Ran['exports']
  const printed: unknown[][] = []
  const known: Readonly<Record<string, unknown>> = { ...MODULES, ...modules }
  const load = (name: string) => {
    if (!(name in known)) throw new Error(`The snippet imports ${name}`)
    return known[name]
  }
  const AsyncFunction = (async () => {}).constructor as typeof Function
  const body = new AsyncFunction('require', 'exports', 'console', ...Object.keys(given), outputText)
  await body(
    load,
    exports,
    { log: (...values: unknown[]) => printed.push(values), error: () => {} },
    ...Object.values(given),
  )
  return { exports, printed }
}
