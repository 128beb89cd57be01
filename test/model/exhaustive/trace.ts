import { canonicalize } from './canonical.ts'
import type { createModel } from './model.ts'
import type { Step } from './play.ts'
import type { Finding } from './search.ts'
import { lagOf, sessionOf, type TokenSet } from './state.ts'

const TABS = ['tab A', 'tab B']
const USERS = ['nobody', 'ada', 'bob']

/** Tells how a finding comes about, step by step, in the words of the steps. */
export function tell(model: ReturnType<typeof createModel>, { path, wrong }: Finding): string[] {
  const newest = [0, 1, 1]
  const lines: string[] = []
  let state = [...model.plain.initial()].find((bytes) => isSame(bytes, path[0]!))!
  for (const next of path.slice(1)) {
    const { after, step } = follow(model.plain, state, next)
    const name = (tokens: TokenSet) =>
      `${USERS[sessionOf(tokens)]}'s tokens ${newest[sessionOf(tokens)]! - lagOf(tokens)}`
    lines.push(step.words.replaceAll('{tab}', TABS[step.tab]!).replaceAll('{tokens}', name(step.tokens)))
    if (step.words.startsWith('the server rotates')) newest[sessionOf(step.tokens)]!++
    state = after
  }
  return [...lines.map((line, index) => `${index + 1}. ${line}`), `=> ${wrong}`]
}

/** The step from `state` to a state that looks like `next`; its own tabs and requests keep their places. */
function follow(space: ReturnType<typeof createModel>['plain'], state: Uint8Array, next: Uint8Array) {
  let found: { after: Uint8Array; step: Step } | undefined
  space.expand(state, 0, (bytes, step) => {
    if (!found && isSame(bytes, next)) found = { after: bytes.slice(), step }
  })
  if (!found) throw new Error('The trace has a gap')
  return found
}

function isSame(bytes: Uint8Array, canonical: Uint8Array): boolean {
  const copy = bytes.slice()
  canonicalize(copy)
  return copy.every((byte, index) => byte === canonical[index])
}
