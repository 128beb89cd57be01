import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const CLOCK = 'src/environment/clock.ts'
const LIMIT = 'const LONGEST = 2 ** 31 - 1'

/** Whether each seeded bug still fits the source of that tree. */
const check = (tree: string) =>
  spawnSync(process.execPath, [join(root, 'scripts/mutants.mjs'), '--check'], {
    cwd: tree,
    encoding: 'utf8',
  })

/** A tree whose clock says something else about the longest delay. */
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
  it('each change text that the source has, once', () => {
    const { status, stdout, stderr } = check(root)

    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toBe('10 mutants fit the source\n')
  })

  it.each([
    ['is gone', 'const LONGEST = 2_147_483_647', '0 times'],
    ['is there twice', `${LIMIT} // ${LIMIT}`, '2 times'],
  ])('are not planted where that text %s: the command says where', (_, text, count) => {
    const { status, stdout, stderr } = check(treeWith(text))

    expect([status, stdout]).toEqual([1, ''])
    expect(stderr).toBe(
      `timer not clamped: the source has moved: ${CLOCK} has this text ${count} instead of once: ${LIMIT}\n`,
    )
  })
})
