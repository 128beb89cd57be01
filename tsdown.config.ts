import type { UserConfig } from 'tsdown'
import { plainSetup } from './scripts/plain-setup.ts'
import { withoutDescriptions } from './scripts/without-descriptions.ts'

// One build for all entries, so that code they share lands in one chunk and exists once at run time.
export default {
  entry: {
    index: 'src/index.ts',
    machines: 'machines/index.ts',
    fetch: 'src/transports/fetch.ts',
    ofetch: 'src/transports/ofetch.ts',
    axios: 'src/transports/axios.ts',
    graphql: 'src/transports/graphql.ts',
    ky: 'src/transports/ky.ts',
    connect: 'src/transports/connect.ts',
    grpc: 'src/transports/grpc.ts',
    undici: 'src/transports/undici.ts',
    storage: 'src/storage/index.ts',
    file: 'src/file.ts',
    'react-native': 'src/react-native.ts',
    tabs: 'src/coordination/tabs.ts',
    react: 'src/bindings/react.ts',
    vue: 'src/bindings/vue.ts',
    solid: 'src/bindings/solid.ts',
    svelte: 'src/bindings/svelte.ts',
    angular: 'src/bindings/angular.ts',
    guard: 'src/bindings/guard.ts',
    realtime: 'src/bindings/realtime.ts',
    events: 'src/bindings/events.ts',
    oauth2: 'src/oauth2/index.ts',
    'logout-token': 'src/oauth2/logout-token.ts',
    mcp: 'src/oauth2/mcp.ts',
    worker: 'src/worker/index.ts',
    server: 'src/server/index.ts',
    hono: 'src/adapters/hono.ts',
    express: 'src/adapters/express.ts',
    fastify: 'src/adapters/fastify.ts',
    next: 'src/adapters/next.ts',
    sveltekit: 'src/adapters/sveltekit.ts',
    nuxt: 'src/adapters/nuxt.ts',
    'react-router': 'src/adapters/react-router.ts',
    redis: 'src/fleet/redis.ts',
    postgres: 'src/fleet/postgres.ts',
    inspect: 'src/inspect/index.ts',
    devtools: 'src/devtools/index.ts',
    testing: 'src/testing/index.ts',
  },
  format: 'esm',
  platform: 'neutral',
  target: 'es2022',
  dts: { sourcemap: true },
  sourcemap: true,
  plugins: [withoutDescriptions(), plainSetup()],
  minify: false,
  clean: true,
  // Otherwise a development dependency imported by mistake would be copied into dist/, and the size check would not notice.
  deps: { skipNodeModulesBundle: true },
  outputOptions: {
    // Keeps the top of dist/ to the entries alone: the package check holds it against the export map.
    chunkFileNames: 'chunks/[name]-[hash].js',
    // The maps lead to the sources, which ship too, instead of repeating them.
    sourcemapExcludeSources: true,
  },
} satisfies UserConfig
