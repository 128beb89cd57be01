import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { build } from 'tsdown'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import builds from '../../tsdown.production.config.ts'

const ENTRIES = {
  guard: 'src/bindings/guard.ts',
  forward: 'src/server/bff/forward.ts',
  logout: 'src/oauth2/logout-token.ts',
}

/** A bundler may remove a check that the source has, if it takes the function that throws for one that only computes. */
describe('checks, as they are bundled for production', () => {
  const outDir = mkdtempSync(join(tmpdir(), 'authchart-checks-'))
  afterAll(() => rmSync(outDir, { recursive: true }))
  beforeAll(async () => {
    const cwd = new URL('../../', import.meta.url).pathname
    const deps = { alwaysBundle: [/./] }
    const own = { config: false, cwd, outDir, entry: ENTRIES, deps, sourcemap: false } as const
    await build({ ...builds[0], ...own, report: false, logLevel: 'warn' })
  })
  const bundled = (name: keyof typeof ENTRIES) => import(join(outDir, `${name}.js`))

  it.each(['/%', '/%zz', '/%c0%af/evil.example'])(
    'a return path that no router can decode is refused: %s',
    async (path) => {
      const { safeReturnPath } = await bundled('guard')
      expect(safeReturnPath(path)).toBe('/')
    },
  )

  it.each([
    '/api/x%zz',
    '/api/..%2fpublic%80',
    '/api/%c0%ae%c0%ae/public',
    '/api/%25c0%25ae%25c0%25ae/public',
  ])('a path of an API that no server should decode is refused: %s', async (path) => {
    const { ForwardedApi } = await bundled('forward')
    const api = new ForwardedApi('/api', { to: 'https://api.example.com' })
    expect(api.target(new URL(path, 'https://app.example.com'))).toBeUndefined()
  })

  it('a logout token for another client is refused, although no client ID was given', async () => {
    const issuer = 'https://id.example.com'
    const { publicKey, privateKey } = await generateKeyPair('ES256')
    const seconds = Math.floor(Date.now() / 1_000)
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} }
    const token = (aud?: string) =>
      new SignJWT({ iss: issuer, ...(aud && { aud }), iat: seconds, jti: 'j', sid: 's', events })
        .setProtectedHeader({ alg: 'ES256', typ: 'logout+jwt' })
        .sign(privateKey)
    const { createLogoutVerifier } = await bundled('logout')
    const { verify } = createLogoutVerifier({
      issuer,
      server: { issuer, jwks_uri: `${issuer}/keys` },
      clientId: undefined,
      fetch: async () => Response.json({ keys: [await exportJWK(publicKey)] }),
      isRemembered: () => false,
      remember: () => {},
    })
    const refused = { reason: 'invalid_logout_token' }
    for (const aud of ['another', undefined])
      await expect(verify(await token(aud), () => {})).rejects.toMatchObject(refused)
  })
})
