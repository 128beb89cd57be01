import { describe, expect, it } from 'vitest'
import { hasBrowser } from '../support/browsers/engine.ts'
import { openPages } from './page-suite.ts'
import { bundlePage } from './react-bundles.ts'

type Scenarios = typeof import('./react-activity-page.tsx').scenarios

describe.skipIf(!hasBrowser)('authchart/react in an <Activity> of React 19', () => {
  const { run } = openPages<Scenarios>(() => bundlePage(19, 'react-activity-page.tsx'))

  it.each([
    ['another user', 'grace'],
    ['sign-out', 'out'],
  ] as const)('listens only while it is visible, and shows no old state after it (%s)', async (how, text) => {
    expect(await run('change', how)).toEqual(['ada', 2, '', 0, [text], 0])
  })
})
