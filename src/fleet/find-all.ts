import type { Fleet } from './fleet.ts'

/** The keys of all sessions with that tag, part by part. A key may come twice. */
export async function* keysWith(fleet: Pick<Fleet, 'find'>, tag: string): AsyncGenerator<string> {
  let cursor: string | undefined
  do {
    const part = await fleet.find(tag, cursor)
    yield* part.keys
    cursor = part.cursor
  } while (cursor !== undefined)
}

/** The keys of all sessions with that tag, each of them once. */
export async function findAll(fleet: Pick<Fleet, 'find'>, tag: string): Promise<readonly string[]> {
  const found = new Set<string>()
  for await (const key of keysWith(fleet, tag)) found.add(key)
  return [...found]
}
