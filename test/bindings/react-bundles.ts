/** Bundles the React tests with either version of React. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'esbuild'

const here = (path: string) => new URL(path, import.meta.url).pathname
const versions = {
  19: {},
  18: {
    react: here('react-18/node_modules/react'),
    'react-dom': here('react-18/node_modules/react-dom'),
  },
}
export type ReactVersion = keyof typeof versions
export const REACT_VERSIONS: readonly ReactVersion[] = [19, 18]

async function bundle(version: ReactVersion, entry: string, platform: 'browser' | 'node'): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [here(entry)],
    bundle: true,
    write: false,
    platform,
    format: platform === 'node' ? 'cjs' : 'esm',
    target: 'es2022',
    jsx: 'automatic',
    alias: versions[version],
    define: { 'process.env.NODE_ENV': '"development"' },
  })
  return outputFiles[0]?.text ?? ''
}

/** Returns the script of a page. */
export const bundlePage = (version: ReactVersion, entry: string) => bundle(version, entry, 'browser')

/** Loads the server's part as a separate bundle, because the React of the test may be another version. */
export async function loadServer(version: ReactVersion): Promise<typeof import('./react-server.tsx')> {
  const folder = await mkdtemp(join(tmpdir(), 'authchart-react-'))
  try {
    const file = join(folder, 'server.cjs')
    await writeFile(file, await bundle(version, 'react-server.tsx', 'node'))
    return createRequire(import.meta.url)(file)
  } finally {
    await rm(folder, { recursive: true })
  }
}
