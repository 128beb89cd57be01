import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { sources } from '../../scripts/sources.ts'
import type { ProcessReport, ProcessSettings } from './settings.ts'

/** Bundled, because a process that was killed has to start again in a fraction of a second. */
export async function bundleProcess(): Promise<string> {
  const folder = fileURLToPath(new URL('../../node_modules/.cache/authchart-storm/', import.meta.url))
  mkdirSync(folder, { recursive: true })
  const outfile = `${folder}process-${process.pid}.mjs`
  await build({
    entryPoints: [fileURLToPath(new URL('process.child.ts', import.meta.url))],
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    outfile,
    logLevel: 'silent',
    plugins: [
      {
        name: 'sources',
        setup({ onResolve }) {
          for (const { find, replacement } of sources)
            onResolve({ filter: find }, () => ({ path: replacement }))
        },
      },
    ],
  })
  return outfile
}

/** One process of the fleet, which is started again when it was killed. */
export class FleetProcess {
  readonly #file: string
  readonly settings: ProcessSettings
  #child: ChildProcess
  #ready: Promise<unknown>
  #isEnding = false
  #stopped: NodeJS.Timeout | undefined
  /** What it reported before it was killed is lost. */
  kills = 0

  constructor(file: string, settings: ProcessSettings) {
    this.#file = file
    this.settings = settings
    this.#child = this.#start()
    this.#ready = once(this.#child, 'message')
  }

  #start(): ChildProcess {
    const child = fork(this.#file, [JSON.stringify(this.settings)], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      execArgv: [],
    })
    child.once('exit', () => {
      if (this.#isEnding || child !== this.#child) return
      this.#child = this.#start()
      this.#ready = once(this.#child, 'message')
    })
    return child
  }

  get isStopped(): boolean {
    return this.#stopped !== undefined
  }

  /** Stops the process for a time. */
  stopFor(time: number): void {
    if (this.isStopped) return
    const child = this.#child
    child.kill('SIGSTOP')
    this.#stopped = setTimeout(() => {
      child.kill('SIGCONT')
      this.#stopped = undefined
    }, time)
  }

  kill(): void {
    this.kills++
    this.#child.kill('SIGKILL')
  }

  async ready(): Promise<void> {
    await this.#ready
  }

  async report(): Promise<ProcessReport> {
    await this.#ready
    const answered = once(this.#child, 'message')
    this.#child.send('report')
    const [{ report }] = (await answered) as [{ report: ProcessReport }]
    return report
  }

  end(): void {
    this.#isEnding = true
    clearTimeout(this.#stopped)
    this.#child.kill('SIGKILL')
  }
}
