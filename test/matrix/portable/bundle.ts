/** Bundles test files for any runtime. They test the built package instead of the source, and run without Vitest. */
import { existsSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build, type OnResolveResult, type Plugin } from 'esbuild'
import packageBuild from '../../../tsdown.config.ts'
import { codeSeed } from '../../support/code-seed.ts'

const ROOT = resolve(fileURLToPath(new URL('../../../', import.meta.url)))
const HERE = fileURLToPath(new URL('./', import.meta.url))

/** Source files whose names the package exports elsewhere, with that entry. */
const EXPORTED: Readonly<Record<string, string>> = {
  'src/core/errors.ts': 'index',
  'src/core/features/feature.ts': 'index',
  'src/core/features/proof.ts': 'index',
  'src/core/features/session-limits.ts': 'index',
  'src/core/features/share.ts': 'index',
  'src/core/requests/bearer-request.ts': 'index',
  'src/core/requests/challenge.ts': 'index',
  'src/core/session-error.ts': 'index',
  'src/defaults.ts': 'index',
  'src/fleet/memory.ts': 'server',
  'src/server/bff/bff.ts': 'server',
  'src/server/key-ring.ts': 'server',
  'src/server/pool.ts': 'server',
  'src/storage/memory.ts': 'storage',
  'src/storage/web.ts': 'storage',
  ...Object.fromEntries(Object.entries(packageBuild.entry).map(([entry, source]) => [source, entry])),
}

/** Source files that tests may use as they are: tools, and pure functions that check what a store holds. */
const TOOLS = [
  /^src\/testing\//,
  /^src\/environment\/(browser|outside-zones)\.ts$/,
  /^src\/core\/session\/(record|token-response)\.ts$/,
  /^src\/core\/platform\/(disposal|globals|hints|is-object|promise-like)\.ts$/,
  /^machines\/policies\.ts$/,
]

const REPLACED: Readonly<Record<string, string>> = {
  'src/core/create-auth.ts': 'create-auth-with.ts',
  'test/support/code-seed.ts': 'code-seed.ts',
}

/** Where an import of the source leads: to a name of the package, or to another file. */
function instead(file: string): { readonly name: string } | OnResolveResult | undefined {
  const replacement = REPLACED[file]
  if (replacement) return { path: HERE + replacement }
  const entry = EXPORTED[file]
  if (entry) return { name: entry === 'index' ? 'authchart' : `authchart/${entry}` }
  if (!/^(src|machines)\//.test(file) || TOOLS.some((tool) => tool.test(file))) return undefined
  return { errors: [{ text: `${file} is not exported by the package.` }] }
}

const packageInsteadOfSource: Plugin = {
  name: 'package-instead-of-source',
  setup(build) {
    build.onResolve({ filter: /^\./ }, ({ path, resolveDir, kind }) => {
      const file = resolve(resolveDir, path)
      const found = existsSync(file) ? instead(relative(ROOT, file)) : undefined
      return found && 'name' in found ? build.resolve(found.name, { resolveDir: ROOT, kind }) : found
    })
    // `test/matrix` is a package of its own, which does not have this one.
    build.onResolve({ filter: /^authchart(\/|$)/ }, ({ path, resolveDir, kind }) =>
      resolve(resolveDir) === ROOT ? undefined : build.resolve(path, { resolveDir: ROOT, kind }),
    )
    build.onResolve({ filter: /^vitest$/ }, () => ({ path: `${HERE}vitest.ts` }))
  },
}

/** How a script starts. */
export interface Starter {
  /** A module that exports `start(files)`, relative to this folder. */
  readonly start: string
  /** What the script exports of that module. Default: nothing. */
  readonly exports?: string | undefined
}

/** The script of a suite: runs the files with `start` of a module in this folder. */
const scriptOf = (files: readonly string[], { start, exports = '' }: Starter) => `
  import { start } from './${start}'
  export { ${exports} } from './${start}'
  start({
    ${files.map((file) => `${JSON.stringify(file)}: () => import('${ROOT}/test/${file}')`).join(',\n')}
  })`

/**
 * Bundles test files into one script.
 *
 * @param files paths relative to `test/`
 */
export async function bundle(
  files: readonly string[],
  starter: Starter,
  outfile: string,
  options: BuildOptions = {},
): Promise<void> {
  await build({
    stdin: { contents: scriptOf(files, starter), resolveDir: HERE, loader: 'ts' },
    bundle: true,
    outfile,
    format: 'esm',
    platform: 'node',
    target: 'es2022',
    packages: 'external',
    sourcemap: 'inline',
    // Not that of the repository, where the name of the package leads to the source.
    tsconfigRaw: {},
    define: { CODE_SEED: `${codeSeed()}` },
    plugins: [packageInsteadOfSource],
    logLevel: 'warning',
    ...options,
  })
}
