import fc from 'fast-check'
import { KINDS, type Kind } from './kinds.ts'
import type { World } from './world.ts'

/** Whether a command is done alone, or the next one comes in the midst of it, so many promise jobs later. */
const jobs = fc.oneof(
  { withCrossShrink: true },
  { weight: 6, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.nat(12) },
)

class Command implements fc.AsyncCommand<object, World> {
  readonly #name: string
  readonly #kind: Kind<object>
  readonly #given: object
  readonly #jobs: number | undefined
  #account = ''

  constructor(name: string, its: Kind<object>, given: object, jobsToWait: number | undefined) {
    this.#name = name
    this.#kind = its
    this.#given = given
    this.#jobs = jobsToWait
  }

  check() {
    return true
  }

  async run(_: object, world: World) {
    world.around.refused = undefined
    if (this.#kind.may?.(world, this.#given) === false) return
    const account = await this.#kind.run(world, this.#given)
    if (typeof account === 'string') this.#account = ` /* ${account} */`
    await world.rest(this.#jobs)
  }

  /** What it delivered is told of the run that failed, not of the last one tried. */
  [fc.cloneMethod]() {
    return new Command(this.#name, this.#kind, this.#given, this.#jobs)
  }

  toString() {
    const given = fc.stringify(this.#given)
    const meanwhile = this.#jobs === undefined ? '' : ` ~${this.#jobs}`
    return `\n  ${this.#name}(${given === '{}' ? '' : given})${meanwhile}${this.#account}`
  }
}

const one = fc.oneof(
  ...Object.entries(KINDS as unknown as Record<string, Kind<object>>).map(([name, its]) => ({
    weight: its.weight ?? 1,
    arbitrary: fc
      .tuple(its.given, jobs)
      .map(([given, jobsToWait]) => new Command(name, its, given, jobsToWait)),
  })),
)

export const commands = (replayPath: string | undefined) =>
  fc.commands([one], { maxCommands: 25, size: 'max', ...(replayPath !== undefined && { replayPath }) })
