// Strips the types of what it imports, and changes nothing else: `node --import ./bench/types.mjs bench/main.ts`. Tools that also
// give every function its name again make functions heavier and slower than those of the built package.
import { readFile } from 'node:fs/promises'
import { register } from 'node:module'
import { isMainThread } from 'node:worker_threads'
import { transform } from 'esbuild'

if (isMainThread) register(import.meta.url)

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const options = { loader: 'ts', format: 'esm', target: 'node20', sourcemap: 'inline' }
  const { code } = await transform(await readFile(new URL(url), 'utf8'), options)
  return { format: 'module', source: code, shortCircuit: true }
}
