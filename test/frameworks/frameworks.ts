/** The frameworks: how an app is checked, built and started. The programs are scripts of packages in `node_modules`. */
export interface Framework {
  /** The page of `docs/frameworks/` whose files the app gets, and the folder of `apps/` with the others. */
  readonly name: string
  readonly package: string
  /** The commands that check types and build, in their order. */
  readonly build: readonly (readonly string[])[]
  readonly start: (port: string) => readonly string[]
}

const modules = '../../node_modules'
const tsc = `${modules}/typescript/bin/tsc`
const vite = `${modules}/vite/bin/vite.js`
const next = `${modules}/next/dist/bin/next`
const nuxt = `${modules}/nuxt/bin/nuxt.mjs`
const reactRouter = `${modules}/@react-router/dev/bin.cjs`

export const FRAMEWORKS: readonly Framework[] = [
  {
    name: 'next',
    package: 'next',
    // It checks the types itself.
    build: [[next, 'build']],
    start: (port) => [next, 'start', '--hostname', '127.0.0.1', '--port', port],
  },
  {
    name: 'react-router',
    package: 'react-router',
    build: [
      [reactRouter, 'typegen'],
      [tsc, '--noEmit'],
      [reactRouter, 'build'],
    ],
    start: () => [`${modules}/@react-router/serve/bin.cjs`, 'build/server/index.js'],
  },
  {
    name: 'tanstack-start',
    package: '@tanstack/react-start',
    // The build writes the tree of routes, which has the types.
    build: [
      [vite, 'build'],
      [tsc, '--noEmit'],
    ],
    start: () => [`${modules}/srvx/bin/srvx.mjs`, '--prod', '-s', '../client', 'dist/server/server.js'],
  },
  {
    name: 'nuxt',
    package: 'nuxt',
    build: [
      [nuxt, 'typecheck'],
      [nuxt, 'build'],
    ],
    start: () => ['.output/server/index.mjs'],
  },
  {
    name: 'sveltekit',
    package: '@sveltejs/kit',
    build: [
      [`${modules}/@sveltejs/kit/svelte-kit.js`, 'sync'],
      [`${modules}/svelte-check/bin/svelte-check`, '--fail-on-warnings'],
      [vite, 'build'],
    ],
    start: () => ['build/index.js'],
  },
]
