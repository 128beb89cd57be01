import type { Fleet } from './fleet.ts'

/** The keys of all sessions with that tag, each of them once. */
export async function findAll(fleet: Pick<Fleet, 'find'>, tag: string): Promise<readonly string[]> {
  const found = new Set<string>()
  let cursor: string | undefined
  do {
    const part = await fleet.find(tag, cursor)
    for (const key of part.keys) found.add(key)
    cursor = part.cursor
  } while (cursor !== undefined)
  return [...found]
}
