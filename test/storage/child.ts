import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { onTestFinished } from 'vitest'

/** A child process that prints one JSON value per line. */
export interface Child {
  readonly process: ChildProcess
  /** The next value it prints. Rejects if the process ends first. */
  nextMessage(): Promise<any>
  /** Resolves when the process has ended. */
  readonly ended: Promise<{ code: number | null; signal: string | null; errors: string }>
}

/**
 * Creates a folder that is removed after the test. A wait for a lock that ran out may have one last attempt under way, which
 * creates a file while the folder is emptied. So the folder is emptied until nothing is left.
 */
export function temporaryFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'authchart-file-'))
  onTestFinished(() => rm(path, { recursive: true, force: true, maxRetries: 10, retryDelay: 20 }))
  return path
}

/** Bundles a script, so that starting it many times is fast. Returns the path of the bundle. */
export async function bundleScript(url: URL): Promise<{ path: string; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'authchart-child-'))
  const path = join(folder, 'child.mjs')
  await build({
    entryPoints: [fileURLToPath(url)],
    outfile: path,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    logLevel: 'error',
  })
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) }
}

/** Starts a process, which is killed after the test if it is still running. */
export function startChild(command: readonly (string | number)[]): Child {
  const [program = '', ...parameters] = command.map(String)
  const process_ = spawn(program, parameters)
  onTestFinished(() => void process_.kill('SIGKILL'))
  let errors = ''
  process_.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const lines = createInterface({ input: process_.stdout })[Symbol.asyncIterator]()
  return {
    process: process_,
    async nextMessage() {
      const { done, value } = await lines.next()
      if (done) throw new Error(`The child process ended before it printed a message. ${errors}`)
      return JSON.parse(value)
    },
    ended: once(process_, 'close').then(([code, signal]) => ({ code, signal, errors })),
  }
}
