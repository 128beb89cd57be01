/** How every example is built and served. */
import { basename } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ListeningTokenServer } from 'authchart/testing'
import type { Plugin, PluginOption, UserConfig } from 'vite'
import { sources } from '../../scripts/sources.ts'
import { createExampleServer } from './server.ts'

/** An access token lives for so long in `npm run example`, in milliseconds: short enough to watch its renewal. */
const LIFETIME = 20_000

/** The paths that are the token server's, not the page's. */
export const apiAt = (url: string) => ({ '/token': url, '/api': url })

/** A token server beside Vite's own, on the same origin. */
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
    // Each has its own, for they may run at the same time.
    cacheDir: fileURLToPath(new URL(`../../node_modules/.vite/${basename(root)}`, import.meta.url)),
    plugins: [plugins, tokenServer()],
    resolve: { alias: sources },
    clearScreen: false,
  }
}
