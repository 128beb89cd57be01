// One process of `npm run test:deep`: receives a search, runs it, and sends back what it found.
import { type Found, type Search, search } from './search.ts'

process.on('message', async (given: Search) => {
  const found: Found = await search(given)
  process.send?.(found)
})

// The parent process has ended.
process.on('disconnect', () => process.exit())
