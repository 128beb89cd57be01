import { encode } from './encode.ts'
import { steps } from './steps.ts'
import { ALL_RULES, initialWorld, type Setting, type World } from './world.ts'

export interface Result {
  readonly states: number
  /** What is wrong and the steps that lead to it; `undefined` if nothing is. */
  readonly finding: { readonly problem: string; readonly trace: readonly string[] } | undefined
  /** The kinds of steps that were taken. */
  readonly kinds: ReadonlySet<string>
}

/** Visits every state, breadth first, so that a finding has as few steps as possible. */
export function search(setting: Setting): Result {
  const rules = { ...ALL_RULES, ...setting.rules }
  const { grace = false } = setting
  const start = initialWorld(setting)
  const seen = new Map<string, number>([[encode(start), 0]])
  const from: number[] = [-1]
  const words: string[] = ['']
  const kinds = new Set<string>()
  const finding = (problem: string, at: number) => {
    const trace: string[] = []
    for (let index = at; index > 0; index = from[index] as number) trace.unshift(words[index] as string)
    return { states: seen.size, kinds, finding: { problem, trace } }
  }
  let next: World[] = [start]
  let first = 0

  while (next.length > 0) {
    const current = next
    next = []
    for (const [offset, world] of current.entries()) {
      const index = first + offset
      const problem = problemOf(world, grace)
      if (problem) return finding(problem, index)
      let isAtRest = true
      steps(world, rules, grace, (step, reached) => {
        kinds.add(step.replace(/^[ABC] /, ''))
        isAtRest = false
        const key = encode(reached)
        if (seen.has(key)) return
        seen.set(key, seen.size)
        from.push(index)
        words.push(step)
        next.push(reached)
      })
      const stuck = isAtRest ? restProblemOf(world) : undefined
      if (stuck) return finding(stuck, index)
    }
    first += current.length
  }
  return { states: seen.size, kinds, finding: undefined }
}

/**
 * A session is lost if a spent token was presented, or if no process and no database has the newest tokens. A killed process may
 * take the answer with it: then only a server with a grace can go on.
 */
function problemOf({ server, store, processes, answerLost }: World, grace: boolean): string | undefined {
  if (answerLost && !grace) return undefined
  if (!server.active) return 'a spent refresh token was presented'
  const lag = answerLost ? 1 : 0
  const known = Math.max(store.record, ...processes.map(({ held, answer }) => Math.max(held, answer)))
  return known < server.newest - lag ? 'the newest tokens are lost' : undefined
}

const restProblemOf = ({ processes, server }: World) =>
  server.active && processes.some(({ phase }) => phase !== 'idle') ? 'a process waits for ever' : undefined
