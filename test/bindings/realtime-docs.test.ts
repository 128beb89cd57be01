import { describe, expect, it } from 'vitest'
import { membersOf, namesIn, read, tableUnder } from '../package/readme-source.ts'

describe('the tables of docs/guides/realtime.md and docs/frameworks/none.md', () => {
  it('list every option of keepConnected', () => {
    const options = membersOf('src/bindings/realtime/types.ts', 'KeepConnectedOptions')
    expect(namesIn(tableUnder('Options', read('docs/guides/realtime.md'))).sort()).toEqual(options.sort())
  })

  it('list every field of AuthSnapshot', () => {
    const snapshot = membersOf('src/bindings/snapshot.ts', 'AuthSnapshot')
    expect(namesIn(tableUnder('What is shown', read('docs/frameworks/none.md'))).sort()).toEqual(
      snapshot.sort(),
    )
  })
})
