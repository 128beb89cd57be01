import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { SCENARIOS } from '../../visualizations/sequences/scenarios.ts'

const names = Object.keys(SCENARIOS) as (keyof typeof SCENARIOS)[]
const file = (name: string) =>
  readFileSync(new URL(`../../visualizations/sequences/${name}.mmd`, import.meta.url), 'utf8')
const linesOf = async (name: keyof typeof SCENARIOS) =>
  (await SCENARIOS[name]()).split('\n').map((line) => line.trim())
const count = (lines: readonly string[], pattern: RegExp) => lines.filter((line) => pattern.test(line)).length

describe.each(names)('the sequence diagram %s', (name) => {
  it('is the same in every run and in the committed file', async () => {
    const [one, other] = [await SCENARIOS[name](), await SCENARIOS[name]()]
    expect(one).toBe(other)
    expect(file(name).split('\n').slice(1).join('\n')).toBe(one)
  })

  it('uses only declared participants and text that Mermaid accepts', async () => {
    const [head, ...lines] = (await linesOf(name)).filter((line) => line !== '')
    expect(head).toBe('sequenceDiagram')
    const introduced = lines.flatMap((line) => /^participant (\w+) as /.exec(line)?.[1] ?? [])
    for (const line of lines.slice(introduced.length)) {
      const [, from = '', to = '', over = '', text = ''] =
        /^(?:(\w+)-{1,2}(?:>>|x)(\w+)|Note over (\w+)): ([^;#]+)$/.exec(line) ?? []
      expect(text, line).not.toBe('')
      for (const one of [from, to, over].filter(Boolean)) expect(introduced).toContain(one)
    }
  })
})

describe('the sequence diagrams', () => {
  it('show one refresh and three replays for three 401s', async () => {
    const lines = await linesOf('parallel-401s')
    expect(count(lines, /401$/)).toBe(3)
    expect(count(lines, /->>Token/)).toBe(1)
    expect(count(lines, /->>Api: GET .* with token 2$/)).toBe(3)
    expect(count(lines, /-->>App: .* 200$/)).toBe(3)
  })

  it('show no second refresh for a late 401', async () => {
    const lines = await linesOf('late-401')
    expect(count(lines, /->>Token/)).toBe(1)
    expect(lines.indexOf('Api-->>Auth: /api/slow 401')).toBeGreaterThan(
      lines.indexOf('Token-->>Auth: 200, token 2'),
    )
    expect(lines.at(-2)).toBe('Auth-->>App: /api/slow 200')
  })

  it('show that a late answer is discarded and its tokens are revoked', async () => {
    const lines = await linesOf('sign-out-mid-refresh')
    const end = lines.indexOf('Auth-->>App: signed out')
    expect(lines.indexOf('Token-->>Auth: 200, token 2')).toBeGreaterThan(end)
    expect(lines.indexOf('Auth->>Token: revoke token 2')).toBeGreaterThan(end)
    expect(count(lines, /SignedOutError$/)).toBe(1)
  })

  it('show one refresh for two tabs', async () => {
    const lines = await linesOf('tab-race')
    expect(count(lines, /->>Token/)).toBe(1)
    expect(count(lines, /^Note over [AB]: refreshing/)).toBe(2)
    expect(count(lines, /^Note over [AB]: authenticated/)).toBe(2)
    expect(count(lines, /write/)).toBe(1)
  })
})
