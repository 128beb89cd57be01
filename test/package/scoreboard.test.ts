import { existsSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { leftOut } from '../../bench/scoreboard/left-out.ts'
import { commandFor } from '../../bench/scoreboard/page.ts'
import { peers } from '../../bench/scoreboard/peers.ts'
import { scenarios } from '../../bench/scoreboard/scenarios/index.ts'
import { claims, judge } from '../../bench/scoreboard/verdict.ts'
import { versionsOfPeers } from '../../bench/scoreboard/versions.ts'
import { describeTransport } from '../../src/testing/index.ts'
import { read, root, tableUnder } from './readme-source.ts'

// The libraries are not installed in CI. What is checked here needs none of them.
const json = (path: string) => JSON.parse(read(path))

const conformance: string[] = []
describeTransport('any', () => ({ request: async () => ({ status: 200, body: '' }) }), {
  describe: (_, body) => body(),
  it: (title) => conformance.push(title),
  isTimeout: () => false,
  expect,
})

describe('the scenarios of the scoreboard', () => {
  it('each scenario of the conformance suite is covered, or left out with a reason', () => {
    const covered = scenarios.flatMap(({ title, covers = [title] }) => covers)
    const listed = [...covered, ...Object.values(leftOut).flat()]
    expect(new Set(listed).size).toBe(listed.length)
    expect([...listed].sort()).toEqual([...conformance].sort())
  })

  it('no two scenarios have the same title', () => {
    expect(new Set(scenarios.map(({ title }) => title)).size).toBe(scenarios.length)
  })

  it('authchart claims every job, so that it cannot escape a scenario', () => {
    const own = peers.filter(({ name }) => name.startsWith('authchart/'))
    expect(own).toHaveLength(2)
    for (const peer of own) for (const scenario of scenarios) expect(claims(peer, scenario)).toBe(true)
  })

  it('a scenario fails only if the library claims all that it needs', () => {
    const scenario = scenarios.find(({ needs }) => needs.includes('waits'))!
    const [peer] = peers
    const ran = { passed: false, why: '2 refreshes' } as const
    expect(judge({ ...peer!, claims: scenario.needs }, scenario, ran)).toEqual({
      outcome: 'fail',
      why: ran.why,
    })
    expect(judge({ ...peer!, claims: ['recovers'] }, scenario, ran).outcome).toBe('not claimed')
    expect(judge({ ...peer!, claims: [] }, scenario, { passed: true }).outcome).toBe('pass')
  })
})

describe('the libraries of the scoreboard', () => {
  const own = json('bench/peers/package.json')
  const locked = json('bench/peers/package-lock.json').packages

  it('each library has an adapter, and an exact version that its lock file has as well', () => {
    for (const { adapter, package: name } of peers) {
      const [file = ''] = adapter.split('#')
      expect(existsSync(new URL(`bench/scoreboard/${file}`, root)), file).toBe(true)
      if (name === undefined) continue
      expect(own.dependencies[name], name).toMatch(/^\d+\.\d+\.\d+$/)
      expect(locked[`node_modules/${name}`].version).toBe(own.dependencies[name])
    }
  })

  it('every library in the package is used by a peer or by an adapter', () => {
    const used = [...peers.map((peer) => peer.package), 'axios', 'node']
    expect(Object.keys(own.dependencies).filter((name) => !used.includes(name))).toEqual([])
  })

  it('the libraries are not installed with the package itself', () => {
    const { workspaces, devDependencies, files } = json('package.json')
    expect(workspaces.filter((path: string) => path.startsWith('bench'))).toEqual([])
    expect(files.filter((path: string) => path.startsWith('bench'))).toEqual([])
    for (const { package: name } of peers) if (name) expect(devDependencies).not.toHaveProperty(name)
  })
})

describe('docs/scoreboard.md', () => {
  const page = read('docs/scoreboard.md')
  const summary = tableUnder('Results', page)

  it('the page names the date, Node and the version of each library as it is pinned', () => {
    expect(page).toMatch(/Run on \d{4}-\d\d-\d\d with Node v\d+/)
    const versions = versionsOfPeers()
    for (const { name } of peers) {
      const row = summary.find(([cell = '']) => cell === name || cell.startsWith(`[${name}]`))
      expect(row?.[1], name).toBe(versions[name] ?? '')
    }
  })

  it('every scenario has one row with a result of every library', () => {
    for (const { title } of scenarios) {
      const rows = page.split('\n').filter((line) => line.startsWith(`| ${title} |`))
      expect(rows, title).toHaveLength(1)
      const cells = rows[0]!
        .split('|')
        .slice(2, -1)
        .map((cell) => cell.trim())
      expect(cells, title).toHaveLength(peers.length)
      for (const cell of cells) expect(['✓', '✓*', '✗', '·']).toContain(cell)
      expect(cells.slice(0, 2), title).toEqual(['✓', '✓'])
    }
  })

  it('every fail is explained, and has the command that repeats it', () => {
    let fails = 0
    for (const { title } of scenarios) {
      const row = page.split('\n').find((line) => line.startsWith(`| ${title} |`))!
      const cells = row.split('|').slice(2, -1)
      for (const [index, peer] of peers.entries()) {
        if (cells[index]?.trim() !== '✗') continue
        fails++
        expect(page).toContain(commandFor(peer.name, title))
      }
    }
    expect(fails).toBeGreaterThan(0)
    expect(page.match(/npm run scoreboard -- --peer/g)).toHaveLength(fails)
  })

  it('the page says for every other library what it does better', () => {
    const better = page.slice(page.indexOf('## What the other libraries do better'))
    for (const { name } of peers.slice(2)) expect(better).toMatch(new RegExp(`- \\*\\*${name}\\*\\*: \\S+`))
  })
})
