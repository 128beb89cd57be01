/** Bundles pages and server code with Vite, like an app does. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build, mergeConfig, type PluginOption, type Rolldown } from 'vite'
import { defineExample } from '../../examples/common/vite.ts'

async function bundle(entry: string, plugins: PluginOption[], forServer: boolean): Promise<string> {
  const config = mergeConfig(defineExample(import.meta.dirname, plugins), {
    configFile: false,
    mode: 'development',
    logLevel: 'warn',
    define: { 'process.env.NODE_ENV': '"development"' },
    // Bundle the framework into the server code, because the test would load a second instance of it.
    ssr: { noExternal: true },
    build: {
      ssr: forServer,
      write: false,
      minify: false,
      target: 'es2022',
      rolldownOptions: {
        input: join(import.meta.dirname, entry),
        output: { format: 'es', codeSplitting: false },
        preserveEntrySignatures: 'strict',
      },
    },
  })
  const { output } = (await build(config)) as Rolldown.RolldownOutput
  return output[0].code
}

/** Returns the script of a page. */
export const bundlePage = (entry: string, plugins: PluginOption[]) => bundle(entry, plugins, false)

/** Loads the server code. */
export async function loadServer<T>(entry: string, plugins: PluginOption[]): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'authchart-server-'))
  try {
    const file = join(folder, 'server.mjs')
    await writeFile(file, await bundle(entry, plugins, true))
    return await import(file)
  } finally {
    await rm(folder, { recursive: true })
  }
}
