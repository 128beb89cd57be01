/** The set-up of tests whose scenarios run in a page. */
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { callIn, createPages, type Pages, type Scenarios } from './pages.ts'

/**
 * Opens a page for each test of the calling suite. An error or warning of the page fails its test.
 *
 * @param bundle returns the script of the page
 */
export function openPages<S extends Scenarios>(bundle: () => Promise<string>) {
  let pages: Pages
  let page: Page

  beforeAll(async () => {
    pages = await createPages(await bundle())
  }, 60_000)
  afterAll(() => pages?.close())
  beforeEach(async () => {
    page = await pages.open()
  })
  afterEach(async () => {
    await page.close()
    expect(pages.problems.splice(0)).toEqual([])
  })

  return {
    /** Runs a scenario by its name. */
    run: callIn<S>(() => page),
    /** Returns and clears the errors and warnings of the page, so that they do not fail the test. */
    takeProblems: () => pages.problems.splice(0),
  }
}
