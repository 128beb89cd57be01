import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'
import { peers } from '../scoreboard/peers.ts'

export interface Size {
  readonly peer: string
  readonly minified: number
  readonly gzip: number
  /** Without `xstate`, for apps that have it already. */
  readonly gzipWithoutXstate?: number
}

const AUTHCHART = 'export { createAuth } from "authchart"'

/** What an app imports to get what the scoreboard sets up. */
const IMPORTS: Readonly<Record<string, string>> = {
  'authchart/fetch': `${AUTHCHART}; export { createAuthFetch } from "authchart/fetch"`,
  'authchart/axios': `${AUTHCHART}; export { attachAuth } from "authchart/axios"`,
  'axios-auth-refresh': 'export { createAuthRefresh } from "axios-auth-refresh"',
  'axios-refresh-me': 'export { default } from "axios-refresh-me"',
  'axios-jwt': 'export { applyAuthTokenInterceptor, setAuthTokens, clearAuthTokens } from "axios-jwt"',
  'oauth2-client': 'export { OAuth2Client, OAuth2Fetch } from "@badgateway/oauth2-client"',
  'supertokens-website': 'export { default } from "supertokens-website"',
  'supabase auth-js': 'export { AuthClient } from "@supabase/auth-js"',
  'oidc-client-ts': 'export { UserManager } from "oidc-client-ts"',
  'auth0-spa-js': 'export { Auth0Client } from "@auth0/auth0-spa-js"',
}

/** The client that the app has anyway is left out for all. Everything else counts. */
const EXTERNAL = ['axios']

const root = fileURLToPath(new URL('../../', import.meta.url))

async function bundle(code: string, resolveDir: string, external: string[]) {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir, sourcefile: 'entry.js' },
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['module', 'import', 'browser', 'production'],
    tsconfigRaw: {},
    define: { 'process.env.NODE_ENV': '"production"' },
    external,
    logLevel: 'silent',
  })
  const contents = outputFiles[0]?.contents ?? new Uint8Array()
  return { minified: contents.length, gzip: gzipSync(contents, { level: 9 }).length }
}

/** Bundles what an app imports of each library: minified, and gzip 9. Code from articles has no size worth a figure. */
export async function measureSizes(): Promise<Size[]> {
  const sizes: Size[] = []
  for (const { name, package: dependency } of peers) {
    const code = IMPORTS[name]
    if (!code) continue
    const from = dependency ? `${root}bench/peers` : root
    const size = await bundle(code, from, EXTERNAL)
    const alone = dependency ? undefined : await bundle(code, from, [...EXTERNAL, 'xstate'])
    sizes.push({ peer: name, ...size, ...(alone && { gzipWithoutXstate: alone.gzip }) })
  }
  return sizes
}
