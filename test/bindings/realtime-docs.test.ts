import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { membersOf, namesIn, root, tableUnder } from '../package/readme-source.ts'

const page = (name: string) => readFileSync(new URL(`docs/${name}.md`, root), 'utf8')

describe('the tables of docs/realtime.md and docs/events.md', () => {
  it('list every option of keepConnected', () => {
    const options = membersOf('src/bindings/realtime/types.ts', 'KeepConnectedOptions')
    expect(namesIn(tableUnder('Options', page('realtime'))).sort()).toEqual(options.sort())
  })

  it('list every field of AuthSnapshot', () => {
    const snapshot = membersOf('src/bindings/snapshot.ts', 'AuthSnapshot')
    expect(namesIn(tableUnder('What is shown', page('events'))).sort()).toEqual(snapshot.sort())
  })
})
