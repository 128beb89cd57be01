/** Sets up a site for a suite of tests. A warning or an error of a page fails its test. */
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { bundleScript } from './bundles.ts'
import { createSite, type OpenOptions, pageWith, type Site, type SiteOptions } from './site.ts'

/** @param options creates the options of the site. Default: `page.ts` in an empty page */
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
    /** Returns the warnings and errors of pages, and clears them, so that they do not fail the test. */
    takeProblems: () => site.problems.splice(0),
    /** All tokens that the server has issued. */
    tokens: () => [...site.tokens],
  }
}

async function emptyPage(): Promise<SiteOptions> {
  return { files: { '/': pageWith('/page.js'), '/page.js': await bundleScript('page.ts') } }
}
