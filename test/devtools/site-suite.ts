/** A suite of tests that share a site; a page that has complained fails its test. */
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { bundleScript } from './bundles.ts'
import { createSite, type OpenOptions, pageWith, type Site, type SiteOptions } from './site.ts'

/** @param options gives what the site serves. Default: `page.ts` in an empty page */
export function siteSuite(options: () => Promise<SiteOptions> = emptyPage) {
  let site: Site

  beforeAll(async () => {
    site = await createSite(await options())
  }, 60_000)
  afterAll(() => site?.close())
  afterEach(async () => {
    await site.closePages()
    site.server.reset()
    expect(site.problems.splice(0)).toEqual([])
  })

  return {
    open: (path?: string, screen?: OpenOptions) => site.open(path, screen),
    server: () => site.server,
    origin: () => site.origin,
    /** What pages have complained of, which is forgiven thereby. */
    takeProblems: () => site.problems.splice(0),
    /** Every token that the server has given out. */
    tokens: () => [...site.tokens],
  }
}

async function emptyPage(): Promise<SiteOptions> {
  return { files: { '/': pageWith('/page.js'), '/page.js': await bundleScript('page.ts') } }
}
