import { fileURLToPath } from 'node:url'
import { type BuildOptions, build } from 'esbuild'

/** Bundles the script of a page with its imports. The package is bundled from source. */
export async function bundlePage(script: URL, options: BuildOptions = {}): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(script)],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    ...options,
  })
  return outputFiles?.[0]?.text ?? ''
}
