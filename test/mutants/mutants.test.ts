import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const CLOCK = 'src/environment/clock.ts'
const LIMIT = 'const LONGEST = 2 ** 31 - 1'

/** Checks whether each seeded bug still fits the source of that tree. */
const check = (tree: string) =>
  spawnSync(process.execPath, [join(root, 'scripts/mutants.mjs'), '--check'], {
    cwd: tree,
    encoding: 'utf8',
  })

/** A copy of the tree, with that text in place of the longest delay of its clock. */
function treeWith(text: string): string {
  const tree = mkdtempSync(join(tmpdir(), 'authchart-tree-'))
  onTestFinished(() => rmSync(tree, { recursive: true, force: true }))
  for (const path of ['src', 'machines']) cpSync(join(root, path), join(tree, path), { recursive: true })
  symlinkSync(join(root, 'node_modules'), join(tree, 'node_modules'))
  const clock = join(tree, CLOCK)
  writeFileSync(clock, readFileSync(clock, 'utf8').replace(LIMIT, text))
  return tree
}

describe('the seeded bugs', () => {
  it('each replace text that occurs exactly once in the source', () => {
    const { status, stdout, stderr } = check(root)

    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toBe('10 mutants fit the source\n')
  })

  it.each([
    ['is missing', 'const LONGEST = 2_147_483_647', '0 times'],
    ['occurs twice', `${LIMIT} // ${LIMIT}`, '2 times'],
  ])('make the command fail and name the file if their text %s', (_, text, count) => {
    const { status, stdout, stderr } = check(treeWith(text))

    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toBe(
      `timer not clamped: the source has moved: ${CLOCK} has this text ${count} instead of once: ${LIMIT}\n`,
    )
  })
})
