// Bundles the built entries as a browser application would and holds each to its limit (bytes, minified, gzip 9).
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const CORE_FETCH =
  'export { createAuth } from "./dist/index.js"; export { createAuthFetch } from "./dist/fetch.js"'

const ENTRIES = [
  { name: 'core + fetch', code: CORE_FETCH, limit: 19_968, mayImport: ['xstate'] },
  { name: './fetch', code: 'export * from "./dist/fetch.js"', limit: 3_072 },
  { name: './ofetch', code: 'export * from "./dist/ofetch.js"', limit: 3_328 },
  { name: './axios', code: 'export * from "./dist/axios.js"', limit: 4096 },
  { name: './storage', code: 'export * from "./dist/storage.js"', limit: 8_192 },
  { name: 'webStorage', code: 'export { webStorage } from "./dist/storage.js"', limit: 1_024 },
  { name: './tabs', code: 'export * from "./dist/tabs.js"', limit: 3_072 },
  { name: './react', code: 'export * from "./dist/react.js"', limit: 1_536, mayImport: ['react'] },
  { name: './vue', code: 'export * from "./dist/vue.js"', limit: 1_536, mayImport: ['vue'] },
  { name: './solid', code: 'export * from "./dist/solid.js"', limit: 1_536, mayImport: ['solid-js'] },
  {
    name: './svelte',
    code: 'export * from "./dist/svelte.js"',
    limit: 2_048,
    mayImport: ['svelte', 'svelte/reactivity', 'svelte/store'],
  },
  {
    name: './angular',
    code: 'export * from "./dist/angular.js"',
    limit: 5_632,
    mayImport: ['@angular/common', '@angular/common/http', '@angular/core', '@angular/router', 'rxjs'],
  },
  { name: './guard', code: 'export * from "./dist/guard.js"', limit: 1_024, mayImport: [] },
  { name: './realtime', code: 'export * from "./dist/realtime.js"', limit: 3_072, mayImport: [] },
  { name: './events', code: 'export * from "./dist/events.js"', limit: 1_024, mayImport: [] },
  {
    name: './worker, page',
    code: 'export { connectAuth } from "./dist/worker.js"',
    limit: 11_264,
    mayImport: ['xstate'],
  },
  { name: './inspect', code: 'export * from "./dist/inspect.js"', limit: 8_192, mayImport: [] },
  {
    name: 'openTelemetryObserver',
    code: 'export { inspectAuth, openTelemetryObserver } from "./dist/inspect.js"',
    limit: 3_072,
    mayImport: [],
  },
  { name: './devtools', code: 'export * from "./dist/devtools.js"', limit: 24_576, mayImport: [] },
  { name: './testing', code: 'export * from "./dist/testing.js"' },
  { name: './machines', code: 'export * from "./dist/machines.js"', limit: 4096 },
  { name: 'core + fetch + xstate', code: CORE_FETCH, bundled: ['xstate'] },
]

const PEERS = [
  'xstate',
  'axios',
  'ofetch',
  'react',
  'vue',
  'solid-js',
  'svelte',
  '@angular/common',
  '@angular/core',
  '@angular/router',
  'rxjs',
]

// Pinned, because the result depends on them: XState offers its tree-shakable build under `module` only, and esbuild
// drops its own default `module` as soon as any condition is given. Without it XState weighs about a third more.
const CONDITIONS = ['module', 'import', 'browser', 'production']

async function measure({ name, code, limit, mayImport, bundled = [] }) {
  const { outputFiles, metafile } = await build({
    stdin: { contents: code, resolveDir: process.cwd(), sourcefile: 'entry.js' },
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: CONDITIONS,
    define: { 'process.env.NODE_ENV': '"production"' },
    external: PEERS.filter((peer) => !bundled.includes(peer)),
    logLevel: 'silent',
  })
  const { contents } = outputFiles[0]
  return {
    name,
    limit,
    minified: contents.length,
    gzip: gzipSync(contents, { level: 9 }).length,
    strangers: mayImport ? foreign(metafile, mayImport) : [],
  }
}

/** What a bundle holds or imports besides our own files and the allowed packages, `xstate/graph` included. */
function foreign(metafile, allowed) {
  const imported = Object.values(metafile.outputs)
    .flatMap((output) => output.imports)
    .map(({ path }) => path)
    .filter((path) => !allowed.includes(path))
  const inlined = Object.keys(metafile.inputs).filter((path) => path.includes('node_modules/'))
  return [...imported, ...inlined]
}

function row([name, minified, gzip, limit, verdict]) {
  return `${name.padEnd(24)}${minified.padStart(10)}${gzip.padStart(10)}${limit.padStart(10)}  ${verdict}`
}

const results = await Promise.all(ENTRIES.map(measure))

console.log(row(['entry', 'minified', 'gzip', 'limit', '']).trimEnd())
for (const { name, minified, gzip, limit } of results) {
  const verdict = limit === undefined ? 'for information' : gzip > limit ? 'TOO LARGE' : 'ok'
  console.log(row([name, `${minified}`, `${gzip}`, `${limit ?? '-'}`, verdict]))
}

const problems = results.flatMap(({ name, gzip, limit, strangers }) => [
  ...(gzip > limit ? [`${name} is ${gzip - limit} bytes over its limit`] : []),
  ...strangers.map((path) => `${name} pulls in ${path}`),
])
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
