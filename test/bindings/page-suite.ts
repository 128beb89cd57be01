/** The set-up of tests whose scenarios run in a page. */
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import type { Tab } from '../support/browsers/tab.ts'
import { callIn, createPages, type Pages, type Scenarios, takeProblems } from './pages.ts'

/**
 * Opens a page for each test of the calling suite. An error or warning of the page fails its test.
 *
 * @param bundle returns the script of the page
 */
export function openPages<S extends Scenarios>(bundle: () => Promise<string>) {
  let pages: Pages
  let tab: Tab

  beforeAll(async () => {
    pages = await createPages(await bundle())
  }, 180_000)
  afterAll(() => pages?.close())
  beforeEach(async () => {
    tab = await pages.open()
  })
  afterEach(async () => {
    const problems = await takeProblems(tab)
    await tab.context().close()
    expect(problems).toEqual([])
  })

  return {
    tab: () => tab,
    /** Runs a scenario by its name. */
    run: callIn<S>(() => tab),
    /** Returns and clears the errors and warnings of the page, so that they do not fail the test. */
    takeProblems: () => takeProblems(tab),
  }
}
