import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('../../', import.meta.url)
/** The files that influence a random search: the searched code and the search itself. */
const CODE = ['machines', 'src', 'test/model/interleavings', 'test/support', 'package-lock.json']

function* filesIn(path: string): Generator<string> {
  if (path.includes('.')) return yield path
  for (const { name } of readdirSync(new URL(path, ROOT), { withFileTypes: true }))
    yield* filesIn(`${path}/${name}`)
}

/**
 * A seed for random tests, derived from the code. The same code has the same seed on every machine, so a commit always has the
 * same result. Each change has a new seed, so each commit searches new cases.
 */
export function codeSeed(): number {
  const hash = createHash('sha256')
  for (const file of CODE.flatMap((path) => [...filesIn(path)]).sort()) {
    hash.update(`${file}\n`).update(readFileSync(fileURLToPath(new URL(file, ROOT))))
  }
  return hash.digest().readUInt32BE() >>> 1
}

/**
 * What CI has time to try of something that is tried in full outside CI. It depends on the code, so each change tries others.
 *
 * @param share CI tries one of so many
 */
export function triedHere<T>(all: readonly T[], share: number): readonly T[] {
  if (!process.env.CI) return all
  const chosen = codeSeed() % share
  return all.filter((_, index) => index % share === chosen)
}
