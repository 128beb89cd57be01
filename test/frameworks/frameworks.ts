/** The frameworks: how an app is built, and how it starts. */
export interface Framework {
  readonly name: string
  /** Scripts of packages in `node_modules`, with their arguments. */
  readonly build: readonly string[]
  /** The folders that a build writes. */
  readonly outputs: readonly string[]
  readonly start: (port: string) => readonly string[]
}

const modules = '../../node_modules'

export const FRAMEWORKS: readonly Framework[] = [
  {
    name: 'next',
    build: [`${modules}/next/dist/bin/next`, 'build'],
    outputs: ['.next', 'next-env.d.ts'],
    start: (port) => [`${modules}/next/dist/bin/next`, 'start', '--hostname', '127.0.0.1', '--port', port],
  },
  {
    name: 'sveltekit',
    build: [`${modules}/vite/bin/vite.js`, 'build'],
    outputs: ['.svelte-kit', 'build'],
    start: () => ['build/index.js'],
  },
  {
    name: 'react-router',
    build: [`${modules}/@react-router/dev/bin.cjs`, 'build'],
    outputs: ['.react-router', 'build'],
    start: () => [`${modules}/@react-router/serve/bin.cjs`, 'build/server/index.js'],
  },
  {
    name: 'nuxt',
    build: [`${modules}/nuxt/bin/nuxt.mjs`, 'build'],
    outputs: ['.nuxt', '.output'],
    start: () => ['.output/server/index.mjs'],
  },
]
