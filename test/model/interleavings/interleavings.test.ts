import { describe, expect, it } from 'vitest'
import { codeSeed } from '../../support/code-seed.ts'
import { search } from './search.ts'

const { CI, RUNS, SEED, PATH_, REPLAY } = process.env

/** The same code always gets the same verdict; `npm run test:deep` starts with another seed each time. */
const seed = SEED === undefined ? codeSeed() : Number(SEED)
const runs = Number(RUNS ?? (CI ? 2_000 : 1_000))

describe('any interleaving of events', () => {
  it('keeps every invariant', { timeout: 30 * 60_000 }, async () => {
    const found = await search({ runs, seed, path: PATH_, replayPath: REPLAY })
    console.log(
      `Interleavings: ${found.runs} runs with seed ${seed}, ${found.report ? 'one failed' : 'all hold'}.`,
    )
    if (found.report !== undefined) expect.fail(found.report)
  })
})
