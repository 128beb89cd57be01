import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { transformSync } from 'esbuild'

/** Files that tests do not need, and `node_modules`, which is linked. */
const LEFT_OUT = /^(\..*|node_modules|dist|coverage)$/

/** Copies the tree, so that the copy can be changed. */
export function copyTree(from, to) {
  mkdirSync(to)
  for (const name of readdirSync(from)) {
    if (!LEFT_OUT.test(name)) cpSync(join(from, name), join(to, name), { recursive: true })
  }
  symlinkSync(resolve('node_modules'), join(to, 'node_modules'))
  return to
}

/**
 * Returns the files that a mutant changes, by path, with the content before and after.
 *
 * @throws Error if the text of an edit is not in its file exactly once, or if the result does not parse
 */
export function mutate(directory, { name, edits }) {
  const files = new Map()
  for (const { file, find, replace } of edits) {
    const path = join(directory, file)
    const { before, after } = files.get(path) ?? both(readFileSync(path, 'utf8'))
    const count = after.split(find).length - 1
    if (count !== 1) {
      throw new Error(
        `${name}: the source has moved: ${file} has this text ${count} times instead of once: ${find}`,
      )
    }
    files.set(path, { before, after: after.replace(find, () => replace) })
  }
  for (const [path, { after }] of files) {
    transformSync(after, { loader: 'ts', sourcefile: path, logLevel: 'silent' })
  }
  return files
}

const both = (text) => ({ before: text, after: text })

/** Applies a mutant to a tree, does the work, and restores the tree. */
export async function whileMutated(directory, mutant, work) {
  const files = mutate(directory, mutant)
  try {
    for (const [path, { after }] of files) writeFileSync(path, after)
    return await work()
  } finally {
    for (const [path, { before }] of files) writeFileSync(path, before)
  }
}
