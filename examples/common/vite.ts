/** The Vite configuration that all examples share. */
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ListeningTokenServer } from 'authchart/testing'
import type { Plugin, PluginOption, UserConfig } from 'vite'
import { sources } from '../../scripts/sources.ts'
import { createExampleServer } from './server.ts'

/** Lifetime of an access token in `npm run example`, in milliseconds: short enough to watch a refresh. */
const LIFETIME = 20_000

/** The paths that the token server handles, as a proxy table. `/session-card.tsx` is a file of an example. */
export const apiAt = (url: string) => ({ '^/(session|token|api)([/?]|$)': url })

/** Runs a token server behind Vite's server, on the same origin. */
function tokenServer(): Plugin {
  let listening: ListeningTokenServer | undefined
  return {
    name: 'token-server',
    apply: (_, { command, isPreview }) => command === 'serve' && !isPreview,
    async config() {
      listening = await createExampleServer({ accessTokenLifetime: LIFETIME }).listen()
      return { server: { proxy: apiAt(listening.url) } }
    },
    configureServer({ httpServer }) {
      httpServer?.once('close', () => listening?.close())
    },
  }
}

/**
 * The Vite configuration of an example.
 *
 * @param root the folder of its `index.html`
 * @param plugins what its framework needs
 */
export function defineExample(root: string, plugins: PluginOption[]): UserConfig {
  return {
    root,
    // Each example has its own cache, because several may run at the same time.
    cacheDir: fileURLToPath(new URL(`../../node_modules/.vite/${basename(root)}`, import.meta.url)),
    plugins: [plugins, tokenServer()],
    resolve: { alias: sources },
    clearScreen: false,
  }
}
