import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = new URL('../../', import.meta.url)
/** What decides how a search goes: what is searched, and what searches. */
const CODE = ['machines', 'src', 'test/model/interleavings', 'test/support', 'package-lock.json']

function* filesIn(place: string): Generator<string> {
  if (place.includes('.')) return yield place
  for (const { name } of readdirSync(new URL(place, ROOT), { withFileTypes: true }))
    yield* filesIn(`${place}/${name}`)
}

/**
 * A seed for everything that tries things at random. It is the same for the same code on every machine, so that a change
 * that was found to be sound is found so again, and it is another one for every change, so that each is searched anew.
 */
export function codeSeed(): number {
  const hash = createHash('sha256')
  for (const file of CODE.flatMap((place) => [...filesIn(place)]).sort()) {
    hash.update(`${file}\n`).update(readFileSync(fileURLToPath(new URL(file, ROOT))))
  }
  return hash.digest().readUInt32BE() >>> 1
}
