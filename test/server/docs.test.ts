import { describe, expect, it } from 'vitest'
import * as server from '../../src/server/index.ts'
import { membersOf, namesIn, read, snippetsOf, tableUnder } from '../package/readme-source.ts'
import { runSnippet } from '../package/run-snippet.ts'

const PAGE = read('docs/server.md')

describe('docs/server.md', () => {
  it('the first snippet runs as it is, and prints what its comment says', async () => {
    const [snippet] = snippetsOf('docs/server.md')
    const { printed } = await runSnippet(snippet!, '', {}, { 'authchart/server': server })
    expect(printed).toEqual([[[200, 200, 200, 200], 1]])
    expect(snippet?.code).toContain('// [200, 200, 200, 200] 1')
  })

  it('the table of the pool names its own options, and nothing else', () => {
    const names = membersOf('src/server/pool-types.ts', 'AuthPoolOptions').filter(
      (name) => name !== 'resident',
    )
    expect(namesIn(tableUnder('Options of the pool', PAGE)).sort()).toEqual(names.sort())
  })

  it('the table of the backend names every option, and nothing else', () => {
    const names = membersOf('src/server/bff/types.ts', 'BffOptions')
    expect(namesIn(tableUnder('Options of the backend', PAGE)).sort()).toEqual(names.sort())
  })
})
