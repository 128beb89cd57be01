import { canonicalize } from './canonical.ts'
import type { createModel } from './model.ts'
import type { Finding } from './search.ts'
import { lagOf, sessionOf, type TokenSet } from './state.ts'
import type { Step } from './stepper.ts'

const TABS = ['tab A', 'tab B']
const USERS = ['no user', 'ada', 'bob']

/** Describes the way to a violation, one line for each step. */
export function describeTrace(model: ReturnType<typeof createModel>, { path, wrong }: Finding): string[] {
  const newest = [0, 1, 1]
  const lines: string[] = []
  let state = [...model.raw.initial()].find((bytes) => isSame(bytes, path[0]!))!
  for (const next of path.slice(1)) {
    const { after, step } = follow(model.raw, state, next)
    const name = (tokens: TokenSet) =>
      `${USERS[sessionOf(tokens)]}'s tokens ${newest[sessionOf(tokens)]! - lagOf(tokens)}`
    lines.push(step.words.replaceAll('{tab}', TABS[step.tab]!).replaceAll('{tokens}', name(step.tokens)))
    if (step.words.startsWith('the server rotates')) newest[sessionOf(step.tokens)]!++
    state = after
  }
  return [...lines.map((line, index) => `${index + 1}. ${line}`), `=> ${wrong}`]
}

/**
 * Finds the step from `state` to a state whose canonical form is `next`. In `after`, tabs and requests keep their
 * numbers.
 */
function follow(space: ReturnType<typeof createModel>['raw'], state: Uint8Array, next: Uint8Array) {
  let found: { after: Uint8Array; step: Step } | undefined
  space.expand(state, 0, (bytes, step) => {
    if (!found && isSame(bytes, next)) found = { after: bytes.slice(), step }
  })
  if (!found) throw new Error('The trace has a gap: no step leads to the next state')
  return found
}

function isSame(bytes: Uint8Array, canonical: Uint8Array): boolean {
  const copy = bytes.slice()
  canonicalize(copy)
  return copy.every((byte, index) => byte === canonical[index])
}
