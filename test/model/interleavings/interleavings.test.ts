import { describe, expect, it } from 'vitest'
import { codeSeed } from '../../support/code-seed.ts'
import { search } from './search.ts'

const { CI, RUNS, SEED, PATH_, REPLAY } = process.env

/** One commit has one verdict; `npm run test:deep` begins somewhere else each time. */
const seed = SEED === undefined ? codeSeed() : Number(SEED)
const runs = Number(RUNS ?? (CI ? 10_000 : 1_000))

describe('whatever happens, in whatever order', () => {
  it('the invariants hold', { timeout: 30 * 60_000 }, async () => {
    const found = await search({ runs, seed, path: PATH_, replayPath: REPLAY })
    console.log(
      `Interleavings: ${found.runs} runs with seed ${seed}, ${found.report ? 'one failed' : 'all hold'}.`,
    )
    if (found.report !== undefined) expect.fail(found.report)
  })
})
