import { readFileSync } from 'node:fs'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import type { AnyStateMachine } from 'xstate'
import * as xstate from 'xstate'
import { authMachine } from '../../machines/index.ts'
import { withoutDescriptions } from '../../scripts/without-descriptions.ts'
import { rowsOfMachine } from './chart-rows.ts'

const source = readFileSync(new URL('../../machines/auth.machine.ts', import.meta.url), 'utf8')
const { transform } = withoutDescriptions()
const built = async (code: string) => (await transform.handler(code)).code

describe('withoutDescriptions', () => {
  it('removes descriptions and meta from the chart, and nothing else', async () => {
    const { outputText } = ts.transpileModule(await built(source), {
      compilerOptions: { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 },
    })
    const exports: { authMachine?: AnyStateMachine } = {}
    new Function('require', 'exports', outputText)(() => xstate, exports)
    const rows = rowsOfMachine(exports.authMachine!.root)
    expect(rows.join('\n')).not.toContain('"description"')
    expect(JSON.stringify(exports.authMachine!.config)).not.toMatch(/"description"|"meta"/)
    const silent = (row: string) => row.replace(/,"description":"(?:[^"\\]|\\.)*"/, '')
    expect(rows).toEqual(rowsOfMachine(authMachine.root).map(silent))
  })

  it('keeps the positions of all code, so that the source map is valid', async () => {
    const code = await built(source)
    expect(code).toHaveLength(source.length)
    for (const [index, line] of code.split('\n').entries()) {
      const original = source.split('\n')[index]!
      for (const [place, letter] of [...line].entries()) {
        if (letter !== ' ') expect(letter).toBe(original[place])
      }
    }
  })

  it('keeps descriptions and meta outside charts', async () => {
    const code =
      "const meta: Meta = { description: 'kept' }; setup({ meta: {} }).createMachine({ meta: { a: 1 }, id: 'x' })"
    expect((await built(code)).replace(/ +/g, ' ')).toBe(
      "const meta: Meta = { description: 'kept' }; setup({ meta: {} }).createMachine({ id: 'x' })",
    )
  })

  it('transforms only files of charts', () => {
    expect(transform.filter.id.test('machines/auth.machine.ts')).toBe(true)
    expect(transform.filter.id.test('machines/vocabulary.ts')).toBe(false)
  })
})
