import { describe, expect, it } from 'vitest'
import type { AnyStateNode } from 'xstate'
import { authMachine } from '../../machines/index.ts'
import manifest from '../../package.json' with { type: 'json' }
import { resolveOptions } from '../../src/core/resolve-options.ts'
import * as authchart from '../../src/index.ts'
import {
  classesOf,
  fieldsOf,
  literalsOf,
  membersOf,
  namesIn,
  read,
  SOURCES,
  tableUnder,
} from './readme-source.ts'

const OPTIONS = read('docs/reference/options.md')
const MEMBERS = read('docs/reference/auth.md')
const EVENTS = read('docs/reference/events.md')

describe('docs/reference/entries.md', () => {
  it('names every entry of the package', () => {
    const { './package.json': _, ...entries } = manifest.exports
    const names = Object.keys(entries).map((subpath) => subpath.replace('.', 'authchart'))
    expect(Object.keys(SOURCES).sort()).toEqual(names.sort())
    for (const name of names) expect(read('docs/reference/entries.md')).toContain(`\`${name}\``)
  })
})

describe('docs/reference/options.md', () => {
  const ofSession = tableUnder('createAuth', OPTIONS)
  const ofTransports = tableUnder('Transports', OPTIONS)

  it('the tables name every option, and nothing else', () => {
    expect(namesIn(ofSession).sort()).toEqual(membersOf('src/core/options.ts', 'AuthOptions').sort())
    expect(namesIn(ofTransports).sort()).toEqual(
      [
        ...membersOf('src/transports/origins.ts', 'OriginOptions'),
        ...membersOf('src/transports/fetch.ts', 'TransportOptions'),
        ...membersOf('src/transports/fetch.ts', 'AuthFetchOptions'),
        ...membersOf('src/transports/ofetch.ts', 'AuthOfetchOptions'),
      ].sort(),
    )
  })

  it('the table of createAuth shows the real defaults', () => {
    const { retry, timeouts, queueLimit, historyLimit, ...rest } = resolveOptions({ refresh: () => ({}) })
    const numbers = {
      ...Object.fromEntries(Object.entries(retry).map(([key, value]) => [`retry.${key}`, value])),
      ...Object.fromEntries(Object.entries(timeouts).map(([key, value]) => [`timeouts.${key}`, value])),
      queueLimit,
      historyLimit,
    }
    const words = {
      refreshOn: rest.refreshOn,
      whenExpired: rest.whenExpired,
      ambiguousRefresh: rest.ambiguousRefresh,
    }
    const listed = Object.fromEntries(ofSession.map((row) => [namesIn([row])[0], row[2]]))
    expect(listed).toMatchObject({
      ...Object.fromEntries(Object.entries(numbers).map(([key, value]) => [key, value.toLocaleString('en')])),
      ...Object.fromEntries(Object.entries(words).map(([key, value]) => [key, `\`'${value}'\``])),
    })
  })

  it.each(membersOf('src/core/features/session-limits.ts', 'SessionLimitsOptions'))(
    'the table of createAuth names the limit %s',
    (name) => {
      const [row] = ofSession.filter((cells) => namesIn([cells])[0] === 'limits')
      expect(row?.[3]).toContain(`\`${name}\``)
    },
  )
})

describe('docs/reference/auth.md', () => {
  const members = tableUnder('Members of `auth`', MEMBERS)

  it('names every member of an auth, and nothing else', () => {
    const all = membersOf('src/core/auth.ts', 'Auth').filter((name) => !name.startsWith('['))
    expect([...new Set(namesIn(members))].sort()).toEqual([...new Set(all)].sort())
  })

  it.each(membersOf('src/core/auth.ts', 'AccessTokenOptions'))(
    'names the option %s of getAccessToken',
    (name) => {
      const [row] = members.filter(([cell]) => cell?.includes('getAccessToken'))
      expect(row?.[1]).toContain(`\`${name}\``)
    },
  )
})

describe('docs/reference/events.md', () => {
  it('names every event with its fields, and nothing else', () => {
    const listed = tableUnder('Events', EVENTS).map((row) => [namesIn([row])[0], namesIn([row], 2)])
    // The row of `transition` also has an example of a path.
    const carried = listed.map(([type, names]) => [type, type === 'transition' ? names?.slice(0, 2) : names])
    expect(Object.fromEntries(carried)).toEqual(fieldsOf('machines/emitted.ts', 'AuthEmitted'))
    for (const name of membersOf('machines/emitted.ts', 'AuthFacts')) {
      expect(/^Every event carries .*$/m.exec(EVENTS)?.[0]).toContain(`\`${name}\``)
    }
  })
})

describe('docs/reference/errors.md', () => {
  it('names every error with its code, and nothing else', () => {
    const errors = tableUnder('Errors', read('docs/reference/errors.md'))
    expect(namesIn(errors).sort()).toEqual(classesOf('src/core/errors.ts').sort())
    expect(namesIn(errors, 1).sort()).toEqual(literalsOf('src/core/errors.ts', 'AuthErrorCode').sort())
    for (const row of errors) {
      const [name, code] = [...namesIn([row]), ...namesIn([row], 1)]
      const Class = (authchart as any)[name!]
      const error = new Class({})
      expect([error.name, error.code]).toEqual([name, code])
      expect(error).toBeInstanceOf(authchart.AuthError)
    }
  })
})

describe('docs/reference/failures.md', () => {
  it.each(literalsOf('machines/vocabulary.ts', 'Reason'))('names the reason %s', (reason) => {
    expect(read('docs/reference/failures.md')).toContain(`\`${reason}\``)
  })
})

describe('docs/reference/token-response.md', () => {
  it('names every field of a token response once, and nothing else', () => {
    const all = membersOf('src/core/ports.ts', 'TokenResponse')
    const snakeCase = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
    const fields = all.filter((name) => name === snakeCase(name) || !all.includes(snakeCase(name)))
    const rows = tableUnder('Fields', read('docs/reference/token-response.md'))
    expect(rows.map((row) => namesIn([row])[0]).sort()).toEqual(fields.sort())
  })
})

const paths = (node: AnyStateNode): string[] =>
  Object.values(node.states as Record<string, AnyStateNode>).flatMap((child) => [
    child.path.join('.'),
    ...paths(child),
  ])
const states = paths(authMachine.root)

describe('the pages of the chart', () => {
  it('docs/reference/chart.md names every top-level state, and nothing else', () => {
    expect(namesIn(tableUnder('The chart', read('docs/reference/chart.md'))).sort()).toEqual(
      states.filter((path) => !path.includes('.')).sort(),
    )
  })

  it('the page of the drawings names every inner state, and nothing else', () => {
    const leaves = states.filter(
      (path) => path.includes('.') && !states.some((other) => other.startsWith(`${path}.`)),
    )
    const rows = tableUnder('Inner states', read('visualizations/README.md'))
    expect(namesIn(rows).sort()).toEqual(leaves.sort())
  })
})
