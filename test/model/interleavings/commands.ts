import fc from 'fast-check'
import { COMMAND_TYPES, type CommandType } from './command-types.ts'
import type { World } from './world.ts'

/** After how many promise jobs the next command starts. Without a number, it starts once all of them are done. */
const jobs = fc.oneof(
  { withCrossShrink: true },
  { weight: 6, arbitrary: fc.constant(undefined) },
  { weight: 1, arbitrary: fc.nat(12) },
)

class Command implements fc.AsyncCommand<object, World> {
  readonly #name: string
  readonly #type: CommandType<object>
  readonly #given: object
  readonly #jobs: number | undefined
  #account = ''

  constructor(name: string, its: CommandType<object>, given: object, jobsToWait: number | undefined) {
    this.#name = name
    this.#type = its
    this.#given = given
    this.#jobs = jobsToWait
  }

  check() {
    return true
  }

  async run(_: object, world: World) {
    world.around.refused = undefined
    if (this.#type.may?.(world, this.#given) === false) return
    const account = await this.#type.run(world, this.#given)
    if (typeof account === 'string') this.#account = ` /* ${account} */`
    await world.rest(this.#jobs)
  }

  /** A fresh command for each run, so that the counterexample shows the deliveries of the failed run. */
  [fc.cloneMethod]() {
    return new Command(this.#name, this.#type, this.#given, this.#jobs)
  }

  toString() {
    const given = fc.stringify(this.#given)
    const meanwhile = this.#jobs === undefined ? '' : ` ~${this.#jobs}`
    return `\n  ${this.#name}(${given === '{}' ? '' : given})${meanwhile}${this.#account}`
  }
}

const one = fc.oneof(
  ...Object.entries(COMMAND_TYPES as unknown as Record<string, CommandType<object>>).map(([name, its]) => ({
    weight: its.weight ?? 1,
    arbitrary: fc
      .tuple(its.given, jobs)
      .map(([given, jobsToWait]) => new Command(name, its, given, jobsToWait)),
  })),
)

export const commands = (replayPath: string | undefined) =>
  fc.commands([one], { maxCommands: 25, size: 'max', ...(replayPath !== undefined && { replayPath }) })
