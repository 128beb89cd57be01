/**
 * Runs the portable suite in a Durable Object, whose requests share one context, as those of a page do. A worker cannot listen
 * for connections. So the Node process that started it listens for the token servers of the suite, and passes requests on.
 */
import process from 'node:process'
import { run, type TestFiles } from '../portable/run.ts'
import { createPorts } from './ports.ts'

interface Env {
  readonly SUITE: DurableObjectNamespace
  /** The URL of the Node process. */
  readonly NODE: string
}

interface DurableObjectNamespace {
  idFromName(name: string): unknown
  get(id: unknown): { fetch(request: Request): Promise<Response> }
}

let files: TestFiles = {}

/** Called by the bundle while it is loaded. */
export function start(all: TestFiles): void {
  files = all
}

export class Suite {
  readonly #ports: ReturnType<typeof createPorts>

  constructor(_state: unknown, { NODE }: Env) {
    this.#ports = createPorts(NODE)
  }

  async fetch(request: Request): Promise<Response> {
    if (new URL(request.url).pathname !== '/run') return this.#ports.receive(request)
    const { getBuiltinModule } = process
    Object.defineProperty(process, 'getBuiltinModule', {
      value: (name: string) => (name === 'node:http' ? this.#ports : getBuiltinModule(name)),
    })
    return Response.json(await run(files, console.log))
  }
}

export default {
  fetch: (request: Request, { SUITE }: Env) => SUITE.get(SUITE.idFromName('suite')).fetch(request),
}
