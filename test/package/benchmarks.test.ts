import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { peers } from '../../bench/scoreboard/peers.ts'
import { versionsOfPeers } from '../../bench/scoreboard/versions.ts'
import { clientOf } from '../../bench/versus/client-of.ts'
import { ahead, benchmarksPage } from '../../bench/versus/page.ts'
import { root, tableUnder } from './readme-source.ts'

// The libraries are not installed in CI. What is checked here needs none of them.
const page = readFileSync(new URL('docs/benchmarks.md', root), 'utf8')
const number = (cell = '') => Number(cell.replaceAll(',', '').replace(/ kB|×/, ''))

describe('docs/benchmarks.md', () => {
  it('the page names the date, the machine, and the version of each library as it is pinned', () => {
    expect(page).toMatch(/Measured on \d{4}-\d\d-\d\d with Node v\d+\S* on \d+ × /)
    for (const [name, version] of Object.entries(versionsOfPeers()))
      expect(page).toContain(`${name} ${version}`)
  })

  it('the cost of a request is measured for every library, over the client that it uses', () => {
    const rows = tableUnder('One request', page)
    expect(rows.map(([name]) => name)).toEqual(peers.map(({ name }) => name))
    for (const [name = '', client, bare, added, ratio] of rows) {
      expect(client).toBe(clientOf({ name }))
      expect(number(bare), name).toBeGreaterThan(0)
      expect(Number.isFinite(number(added)), name).toBe(true)
      expect(number(ratio), name).toBeCloseTo((number(bare) + number(added)) / number(bare), 1)
    }
  })

  it('each table has figures of authchart over both clients', () => {
    for (const heading of ['One request', 'A storm', 'Size', 'Sessions']) {
      const names = tableUnder(heading, page).map(([name]) => name)
      expect(names.slice(0, 2), heading).toEqual(['authchart/fetch', 'authchart/axios'])
      expect(names.length, heading).toBeGreaterThan(7)
    }
    const [fetch, axios] = tableUnder('A storm', page)
    expect([fetch?.[2], axios?.[2]]).toEqual(['50,000', '50,000'])
  })

  it('the page says for each figure which libraries are ahead', () => {
    const rows = tableUnder('Where another library is ahead', page)
    expect(rows).toHaveLength(5)
    const sizes = new Map(tableUnder('Size', page).map(([name = '', , , gzip]) => [name, number(gzip)]))
    expect(rows.find(([figure]) => figure?.startsWith('size'))?.[1]).toBe(
      ahead({ what: 'size', costs: sizes }).join(', '),
    )
  })
})

describe('the page of benchmarks', () => {
  const measured = { requests: [], storms: [], sizes: [], sessions: [] }
  const environment = { date: '2026-01-02', node: 'v24.0.0', machine: '2 × machine', versions: {} }

  it('compares a library with authchart over the same client only', () => {
    const costs = new Map([
      ['authchart/fetch', 10],
      ['authchart/axios', 20],
      ['oauth2-client', 15],
      ['axios-jwt', 15],
    ])
    expect(ahead({ what: 'size', costs })).toEqual(['axios-jwt'])
  })

  it('shows what was not measured as missing instead of inventing a figure', () => {
    const sessions = [{ peer: 'axios-jwt', bytesEach: undefined }]
    const text = benchmarksPage({ ...measured, sessions }, environment)
    expect(tableUnder('Sessions', text)).toEqual([['axios-jwt', 'axios', 'one for each process', '']])
    expect(tableUnder('A storm', text)).toEqual([])
  })
})
