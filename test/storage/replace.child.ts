import type { SessionRecord } from '../../src/core/ports.ts'
import { fileStorage } from '../../src/file.ts'

const [path = '', rounds = ''] = process.argv.slice(2)
const storage = fileStorage(path)
const results: Record<string, number> = { written: 0, newer: 0, gone: 0 }
for (let round = 0; round < Number(rounds); round++) {
  const stored = storage.read() as SessionRecord
  const { id, rotation } = stored
  const result = await storage.replace?.({ ...stored, rotation: rotation + 1 }, { id, rotation })
  if (result) results[result] = (results[result] ?? 0) + 1
}
console.log(JSON.stringify(results))
