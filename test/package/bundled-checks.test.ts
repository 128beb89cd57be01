import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { build } from 'tsdown'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import config from '../../tsdown.config.ts'

const ENTRIES = { guard: 'src/bindings/guard.ts', forward: 'src/server/bff/forward.ts' }

/** A bundler may remove a check that the source has, if it takes the function that throws for one that only computes. */
describe('the checks of paths, as they are bundled', () => {
  const outDir = mkdtempSync(join(tmpdir(), 'authchart-checks-'))
  afterAll(() => rmSync(outDir, { recursive: true }))
  beforeAll(async () => {
    const cwd = new URL('../../', import.meta.url).pathname
    const own = { config: false, cwd, outDir, entry: ENTRIES, dts: false, sourcemap: false } as const
    await build({ ...config, ...own, report: false, logLevel: 'warn' })
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
})
