import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'

/** How long a server may take to start, in milliseconds. Other suites may keep the machine busy. */
const PATIENCE = 15_000

/** A server program that a test started. */
export class ChildServer {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  #output = ''

  constructor(command: string, args: readonly string[], options: SpawnOptions = {}) {
    this.#child = spawn(command, args, { ...options, stdio: ['pipe', 'pipe', 'pipe'] })
    this.#exited = once(this.#child, 'exit')
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output = (this.#output + text).slice(-5_000)
      })
    }
    // A test run that is interrupted leaves no server behind.
    const kill = () => this.#child.kill('SIGKILL')
    process.once('exit', kill)
    this.#child.once('exit', () => process.off('exit', kill))
  }

  /** Resolves when `probe` does. */
  async ready(probe: () => Promise<unknown>): Promise<void> {
    const start = performance.now()
    while (true) {
      try {
        await probe()
        return
      } catch (error) {
        const hasExited = this.#child.exitCode !== null || this.#child.signalCode !== null
        if (hasExited || performance.now() - start > PATIENCE)
          throw new Error(`The server did not start: ${this.#output}`, { cause: error })
      }
      await pause(20)
    }
  }

  /** Types into its terminal. */
  type(text: string): void {
    this.#child.stdin?.write(text)
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name)
  }

  async stop(name: NodeJS.Signals): Promise<void> {
    this.#child.kill(name)
    await this.#exited
  }
}

/**
 * A server that can be started again.
 *
 * @param folder its files, which are removed when it is stopped for good
 * @param end the signal that ends it, if no other is given
 */
export async function restartable(start: () => Promise<ChildServer>, folder: string, end: NodeJS.Signals) {
  let server = await start()
  return {
    signal: (name: NodeJS.Signals) => server.signal(name),
    async restart(name = end) {
      await server.stop(name)
      server = await start()
    },
    async stop(name = end) {
      await server.stop(name)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
