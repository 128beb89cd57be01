// Bundles the built entries as a browser application would, and holds each to its limit (bytes, minified, gzip 9).
// `--write` also writes the table of README.md.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

const CREATE_AUTH = 'export { createAuth } from "authchart"'
const FETCH = 'export { createAuthFetch } from "authchart/fetch"'
const WEB = 'export { webStorage } from "authchart/storage"'
const TABS = 'export { tabCoordinator } from "authchart/tabs"'
const LIMITS = 'export { sessionLimits } from "authchart"'

/** What README.md shows: what an app imports, and the limit without xstate and with it. */
const IMPORTS = [
  { adds: 'createAuth', code: CREATE_AUTH, limits: [18_272, 30_368] },
  { adds: 'createAuthFetch', code: FETCH, limits: [22_720, 34_880] },
  { adds: 'webStorage', code: WEB, limits: [29_056, 41_264] },
  { adds: 'tabCoordinator', code: TABS, limits: [29_808, 42_016] },
  { adds: 'sessionLimits', code: LIMITS, limits: [30_784, 42_976] },
].map(({ limits }, index, all) => ({
  name: all
    .slice(0, index + 1)
    .map(({ adds }) => `\`${adds}\``)
    .join(' + '),
  code: all.slice(0, index + 1).map(({ code }) => code),
  limits,
}))

const entry = (name) => `export * from "authchart/${name}"`

/** Every entry of the package, with the packages that it may import. */
const ENTRIES = [
  { name: './fetch', code: entry('fetch'), limit: 5_392 },
  { name: './ofetch', code: entry('ofetch'), limit: 5_600 },
  { name: './axios', code: entry('axios'), limit: 7_328 },
  { name: './graphql', code: entry('graphql'), limit: 1_536, mayImport: [] },
  { name: './ky', code: entry('ky'), limit: 5_440, mayImport: [] },
  { name: './connect', code: entry('connect'), limit: 4_096, mayImport: [] },
  { name: './grpc', code: entry('grpc'), limit: 4_096, mayImport: ['@grpc/grpc-js'] },
  { name: './undici', code: entry('undici'), limit: 5_120, mayImport: [] },
  { name: './storage', code: entry('storage'), limit: 12_800 },
  { name: './file', code: entry('file'), limit: 12_800 },
  { name: './react-native', code: entry('react-native'), limit: 7_872 },
  {
    name: 'webStorage',
    code: 'export { webStorage } from "authchart/storage"',
    limit: 8_592,
  },
  { name: './tabs', code: entry('tabs'), limit: 8_352 },
  { name: './react', code: entry('react'), limit: 1_792, mayImport: ['react'] },
  { name: './vue', code: entry('vue'), limit: 1_536, mayImport: ['vue'] },
  { name: './solid', code: entry('solid'), limit: 1_664, mayImport: ['solid-js'] },
  {
    name: './svelte',
    code: entry('svelte'),
    limit: 2_048,
    mayImport: ['svelte', 'svelte/reactivity', 'svelte/store'],
  },
  {
    name: './angular',
    code: entry('angular'),
    limit: 7_120,
    mayImport: ['@angular/common', '@angular/common/http', '@angular/core', '@angular/router', 'rxjs'],
  },
  { name: './guard', code: entry('guard'), limit: 1_024, mayImport: [] },
  { name: './realtime', code: entry('realtime'), limit: 3_072, mayImport: [] },
  { name: './events', code: entry('events'), limit: 1_024, mayImport: [] },
  {
    name: './logout-token',
    code: entry('logout-token'),
    limit: 3_584,
    mayImport: ['jose', 'oauth4webapi', 'xstate'],
  },
  { name: './mcp', code: entry('mcp'), limit: 12_528, mayImport: ['oauth4webapi', 'xstate'] },
  { name: './oauth2', code: entry('oauth2'), limit: 20_128, mayImport: ['oauth4webapi', 'xstate'] },
  {
    name: './worker, page',
    code: 'export { connectAuth } from "authchart/worker"',
    limit: 12_416,
    mayImport: ['xstate'],
  },
  { name: './server', code: entry('server'), limit: 47_104, mayImport: ['xstate'] },
  { name: './hono', code: entry('hono'), limit: 512, mayImport: [] },
  { name: './express', code: entry('express'), limit: 1280, mayImport: [] },
  { name: './fastify', code: entry('fastify'), limit: 1280, mayImport: [] },
  { name: './next', code: entry('next'), limit: 512, mayImport: [] },
  { name: './sveltekit', code: entry('sveltekit'), limit: 512, mayImport: [] },
  { name: './nuxt', code: entry('nuxt'), limit: 1280, mayImport: [] },
  { name: './react-router', code: entry('react-router'), limit: 512, mayImport: [] },
  { name: './redis', code: entry('redis'), limit: 6_400, mayImport: [] },
  { name: './postgres', code: entry('postgres'), limit: 6_400, mayImport: [] },
  { name: './inspect', code: entry('inspect'), limit: 8_384, mayImport: [] },
  {
    name: 'openTelemetryObserver',
    code: 'export { inspectAuth, openTelemetryObserver } from "authchart/inspect"',
    limit: 3_072,
    mayImport: [],
  },
  { name: './devtools', code: entry('devtools'), limit: 27_648, mayImport: [] },
  { name: './testing', code: entry('testing') },
  { name: './machines', code: entry('machines'), limit: 5_120 },
]

/** What an import adds to a bundle that has a session in it already. */
const ADDITIONS = [
  {
    name: 'createOAuth, added',
    code: 'export { createOAuth } from "authchart/oauth2"',
    to: [CREATE_AUTH, WEB].join(';\n'),
    limit: 5_200,
  },
  {
    name: 'createBranch, added',
    code: 'export { createBranch } from "authchart"',
    to: [CREATE_AUTH, WEB].join(';\n'),
    limit: 2_560,
  },
  {
    name: 'onStepUp + stepUp, added',
    code: 'export { onStepUp } from "authchart"; export { stepUp } from "authchart/oauth2"',
    to: [CREATE_AUTH, WEB, 'export { createOAuth } from "authchart/oauth2"'].join(';\n'),
    limit: 2_624,
  },
  {
    name: 'dpopProofs, added',
    code: 'export { dpopProofs } from "authchart/oauth2"',
    to: [CREATE_AUTH, WEB].join(';\n'),
    limit: 4_256,
  },
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
  'oauth4webapi',
  'jose',
  '@grpc/grpc-js',
]

// The result depends on them: XState offers its tree-shakable build under `module` only, and esbuild drops its own default
// `module` as soon as any condition is given. Without it XState weighs about a third more.
const CONDITIONS = ['module', 'import', 'browser', 'production']
const DEFINE = { 'process.env.NODE_ENV': '"production"' }

const gzip = (code) => gzipSync(code, { level: 9 }).length

async function withEsbuild(code, external) {
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
    // Without the paths of tsconfig.json, the package name leads to the built files, as in an app.
    tsconfigRaw: {},
    define: DEFINE,
    external,
    logLevel: 'silent',
  })
  const { contents } = outputFiles[0]
  return { minified: contents.length, gzip: gzip(contents), metafile }
}

/** Vite's own bundler, which most applications use. */
async function rolldownOfVite() {
  const vite = createRequire(createRequire(import.meta.url).resolve('vite/package.json'))
  return (await import(pathToFileURL(vite.resolve('rolldown')).href)).rolldown
}

async function withRolldown(rolldown, code, external) {
  const bundle = await rolldown({
    input: 'entry.js',
    external,
    platform: 'browser',
    resolve: { conditionNames: CONDITIONS },
    transform: { target: 'es2022', define: DEFINE },
    plugins: [
      {
        name: 'entry',
        resolveId: (id) => (id === 'entry.js' ? `${process.cwd()}/entry.js` : null),
        load: (id) => (id === `${process.cwd()}/entry.js` ? code : null),
      },
    ],
  })
  const { output } = await bundle.generate({ format: 'es', minify: true })
  return gzip(output.map(({ code: text }) => text ?? '').join(''))
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

const kB = (bytes) => `${(bytes / 1000).toFixed(1)} kB`

async function measureImports() {
  const rolldown = await rolldownOfVite()
  const rows = []
  for (const { name, code, limits } of IMPORTS) {
    const source = code.join(';\n')
    const own = (await withEsbuild(source, ['xstate'])).gzip
    const whole = (await withEsbuild(source, [])).gzip
    const ownVite = await withRolldown(rolldown, source, ['xstate'])
    const wholeVite = await withRolldown(rolldown, source, [])
    rows.push({ name, own, whole, ownVite, wholeVite, limits })
  }
  return rows
}

const line = (cells) =>
  cells
    .map((cell, index) => (index === 0 ? cell.padEnd(26) : cell.padStart(11)))
    .join('')
    .trimEnd()

const rows = await measureImports()
const results = []
for (const { name, code, limit, mayImport } of ENTRIES) {
  const { minified, gzip: zipped, metafile } = await withEsbuild(code, PEERS)
  results.push({
    name,
    limit,
    minified,
    zipped,
    strangers: mayImport ? foreign(metafile, mayImport) : [],
  })
}

for (const { name, code, to, limit } of ADDITIONS) {
  const whole = await withEsbuild(`${to};\n${code}`, PEERS)
  const before = await withEsbuild(to, PEERS)
  const minified = whole.minified - before.minified
  results.push({ name, limit, minified, zipped: whole.gzip - before.gzip, strangers: [] })
}

console.log('Bytes of what an app imports, minified, gzip 9, production build')
console.log(line(['import', 'esbuild', 'limit', '+ xstate', 'limit', 'Vite 8', '+ xstate']))
for (const { name, own, whole, ownVite, wholeVite, limits } of rows)
  console.log(
    line([
      name.replace(/.* \+ /, '+ '),
      ...[own, limits[0], whole, limits[1], ownVite, wholeVite].map(String),
    ]),
  )
console.log(`\n${line(['entry', 'minified', 'gzip', 'limit'])}`)
for (const { name, minified, zipped, limit } of results)
  console.log(line([name, `${minified}`, `${zipped}`, `${limit ?? '-'}`]))

const table = [
  '| import | esbuild | esbuild, with `xstate` | Vite 8 | Vite 8, with `xstate` |',
  '| --- | --: | --: | --: | --: |',
  ...rows.map(
    ({ name, own, whole, ownVite, wholeVite }) =>
      `| ${name} | ${[own, whole, ownVite, wholeVite].map(kB).join(' | ')} |`,
  ),
].join('\n')

const readme = readFileSync('README.md', 'utf8')
const marked = /(<!-- sizes -->\n\n)[\s\S]*?(\n\n<!-- \/sizes -->)/
const written = readme.replace(marked, `$1${table}$2`)
if (process.argv.includes('--write')) writeFileSync('README.md', written)

/** Two machines may differ by some bytes, because names of files take part in the order of chunks. */
const shown = [...(readme.match(marked)?.[0].matchAll(/\d+\.\d/g) ?? [])].map(Number)
const measured = [...table.matchAll(/\d+\.\d/g)].map(Number)
const isShown =
  shown.length === measured.length && measured.every((size, i) => Math.abs(size - shown[i]) < 0.15)

const problems = [
  ...rows.flatMap(({ name, own, whole, limits }) => [
    ...(own > limits[0] ? [`${name} is ${own - limits[0]} bytes over its limit`] : []),
    ...(whole > limits[1] ? [`${name} with xstate is ${whole - limits[1]} bytes over its limit`] : []),
  ]),
  ...results.flatMap(({ name, zipped, limit, strangers }) => [
    ...(zipped > limit ? [`${name} is ${zipped - limit} bytes over its limit`] : []),
    ...strangers.map((path) => `${name} pulls in ${path}`),
  ]),
  ...(isShown || process.argv.includes('--write')
    ? []
    : ['README.md shows other sizes: run npm run size -- --write.']),
]
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
