import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import type { Plugin, UserConfig } from 'vite'
import { sources } from '../../scripts/sources.ts'
import { startProvider } from './provider.ts'

/** Starts the provider, and gives the page its address. */
function openIdProvider(): Plugin {
  let provider: Awaited<ReturnType<typeof startProvider>> | undefined
  return {
    name: 'openid-provider',
    async config() {
      provider = await startProvider()
      return { define: { ISSUER: JSON.stringify(provider.url) } }
    },
    configureServer({ httpServer }) {
      httpServer?.once('close', () => provider?.close())
    },
  }
}

const config: UserConfig = {
  root: import.meta.dirname,
  cacheDir: fileURLToPath(new URL('../../node_modules/.vite/oauth', import.meta.url)),
  plugins: [react(), openIdProvider()],
  resolve: { alias: sources },
  clearScreen: false,
}
export default config
