import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

export interface Program extends ChildProcess {
  /** What it has printed so far. */
  readonly text: () => string
}

/**
 * Starts a script of the repository.
 *
 * @param args its path and its arguments
 * @param env beside the variables of this process
 */
export function startProgram(args: readonly string[], env: Readonly<Record<string, string>> = {}): Program {
  const child = spawn(process.execPath, ['--import', 'tsx', ...args], {
    cwd: ROOT,
    env: { ...process.env, ...env },
  })
  let text = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
  return Object.assign(child, { text: () => text })
}

export const exitOf = (child: ChildProcess): Promise<unknown> =>
  new Promise((resolve) => child.on('exit', resolve))
