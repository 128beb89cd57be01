import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { membersOf, namesIn, root, tableUnder } from '../package/readme-source.ts'

const page = readFileSync(new URL('docs/frameworks/angular.md', root), 'utf8')
const TYPES = 'src/bindings/angular/types.ts'
const OPTIONS = 'src/bindings/angular/options.ts'

describe('the tables of docs/frameworks/angular.md', () => {
  it('list every function, and every field of AuthSnapshot', () => {
    const snapshot = membersOf('src/bindings/snapshot.ts', 'AuthSnapshot')
    const members = [...new Set(membersOf(TYPES, 'AuthHooks')), ...snapshot]
    expect(namesIn(tableUnder('Signals', page)).sort()).toEqual(members.sort())
  })

  it('list every view', () => {
    const views = membersOf(OPTIONS, 'AuthViewSignals').filter((name) => name !== 'view')
    expect(namesIn(tableUnder('Views', page)).sort()).toEqual(views.sort())
  })

  it('list every option of authInterceptor', () => {
    const options = [
      ...membersOf('src/transports/angular/options.ts', 'AuthInterceptorOptions'),
      ...membersOf('src/transports/origins.ts', 'OriginOptions'),
    ]
    expect(namesIn(tableUnder('HttpClient', page)).sort()).toEqual(options.sort())
  })
})
