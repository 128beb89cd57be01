/**
 * Runs one scenario with one peer in this process, and prints the result as JSON. Each has a process of its own, because
 * libraries have state in their modules, and a scenario may leave requests that never end.
 */
import { Mismatch } from './check.ts'
import { peers } from './peers.ts'
import { scenarios } from './scenarios/index.ts'
import type { Adapter, Peer, Variant } from './types.ts'
import { createScene } from './world.ts'

export type Ran =
  | { readonly passed: true }
  | { readonly passed: false; readonly why: string }
  /** The peer has no function that the scenario needs. */
  | { readonly passed: undefined }

/** Milliseconds for one scenario. Some libraries repeat a refresh for half a minute before they give up, and then pause. */
const TIMEOUT = 150_000

const load = async ({ adapter: path }: Peer): Promise<Adapter> => {
  const [file = '', name = 'adapter'] = path.split('#')
  return (await import(file))[name]
}

async function run(peer: Peer, title: string, variant: Variant): Promise<Ran> {
  const scenario = scenarios.find((one) => one.title === title)
  if (!scenario) throw new Error(`There is no scenario '${title}'`)
  const adapter = await load(peer)
  const unhandled: unknown[] = []
  process.on('unhandledRejection', (reason) => unhandled.push(reason))
  const scene = createScene(peer, adapter, variant)
  let missing = false
  const open: typeof scene.open = async (options) => {
    const stage = await scene.open(options)
    missing ||= scenario.uses?.some((name) => !stage.client[name]) ?? false
    if (missing) throw new Error('missing')
    return stage
  }
  const timer = setTimeout(
    () => finish({ passed: false, why: `did not end within ${TIMEOUT / 1000} s` }),
    TIMEOUT,
  )
  try {
    await scenario.run({ ...scene, open })
    await new Promise((resolve) => setTimeout(resolve, 20))
    if (unhandled.length > 0) {
      return { passed: false, why: `leaves an unhandled rejection: ${String(unhandled[0])}` }
    }
    return { passed: true }
  } catch (error) {
    if (missing) return { passed: undefined }
    if (process.env.SCOREBOARD_STACK && !(error instanceof Mismatch)) console.error(error)
    return { passed: false, why: error instanceof Mismatch ? error.message : String(error) }
  } finally {
    clearTimeout(timer)
  }
}

function finish(result: Ran): void {
  process.stdout.write(`\n${JSON.stringify(result)}\n`, () => process.exit())
}

const [name, title = '', variant = '{}'] = process.argv.slice(2)
const peer = peers.find((one) => one.name === name)
if (!peer) throw new Error(`There is no peer '${name}'`)
finish(await run(peer, title, JSON.parse(variant) as Variant))
