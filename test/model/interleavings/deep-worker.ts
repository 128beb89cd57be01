// One process of `npm run test:deep`: searches what it is told to, and says what it found.
import { type Found, type Search, search } from './search.ts'

process.on('message', async (given: Search) => {
  const found: Found = await search(given)
  process.send?.(found)
})

// Whoever asked is gone.
process.on('disconnect', () => process.exit())
