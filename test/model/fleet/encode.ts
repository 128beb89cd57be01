import type { Store, World } from './world.ts'

const PHASES = ['idle', 'waiting', 'granted', 'asking', 'ready', 'presented', 'sent', 'answered']

/**
 * A short text for a state. States that differ only in how high the fences and the numbers of marks have grown have the same text:
 * which is higher matters, and which follow each other directly.
 */
export function encode(world: World): string {
  const { server, store, past, pastRecord, processes, budget } = world
  const fence = ranks([store.fence, past.fence, pastRecord.fence, ...processes.map(({ fence }) => fence)])
  const mark = ranks([
    store.mark?.at ?? 0,
    past.mark?.at ?? 0,
    pastRecord.mark?.at ?? 0,
    ...processes.map(({ awaited }) => awaited),
  ])
  const stored = ({ record, fence: own, owner, lapsed, mark: set, suspect }: Store) =>
    [
      record,
      fence(own),
      owner,
      Number(lapsed) + 2 * Number(suspect),
      ...(set ? [set.rotation, set.by, mark(set.at)] : ['-']),
    ].join()
  return [
    server.newest,
    Number(server.active) + 2 * Number(world.answerLost),
    stored(store),
    stored(past),
    stored(pastRecord),
    ...processes.map(({ phase, held, fence: own, awaited, answer }) =>
      [PHASES.indexOf(phase), held, fence(own), mark(awaited), answer].join(),
    ),
    ...Object.values(budget),
  ].join(' ')
}

function ranks(values: readonly number[]): (value: number) => number {
  const sorted = [...new Set([0, ...values])].sort((one, other) => one - other)
  const rankOf = new Map<number, number>()
  let rank = 0
  for (const [index, value] of sorted.entries()) {
    if (index > 0) rank += value - (sorted[index - 1] as number) === 1 ? 1 : 2
    rankOf.set(value, rank)
  }
  return (value) => rankOf.get(value) as number
}
