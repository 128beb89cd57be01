import { writeFileSync } from 'node:fs'
import { fileStorage } from '../../src/file.ts'

const [path = '', started = ''] = process.argv.slice(2)
writeFileSync(started, '')
await fileStorage(path).clear()
