import type { ActorLogic, ActorScope, Snapshot } from 'xstate'
import { type AdjacencyMap, getAdjacencyMap } from 'xstate/graph'
import { type ModelEventName, modelEvents } from './model-events.ts'
import { type ModelState, serializeModelState } from './model-state.ts'
import type { ModelWorld } from './model-world.ts'

/** A state of the world, in the shape in which XState's graph tools take one. */
export type WorldSnapshot = Snapshot<undefined> & { readonly world: ModelState }
export interface WorldEvent {
  readonly type: ModelEventName
}

type WorldLogic = ActorLogic<WorldSnapshot, WorldEvent, undefined, ActorScope<never, never>['system']>

/** The model's world as a logic of XState, for `xstate/graph` to walk. */
export function worldLogic(world: ModelWorld): WorldLogic {
  const wrap = (state: ModelState): WorldSnapshot => ({
    status: 'active',
    output: undefined,
    error: undefined,
    world: state,
  })
  return {
    getInitialSnapshot: () => wrap(world.start()),
    transition: (snapshot, { type }) => wrap(world.after(snapshot.world, modelEvents[type].apply)),
    getPersistedSnapshot: (snapshot) => snapshot,
  }
}

/** Requests that the token endpoint keeps waiting would pile up for ever, and more of them show nothing new. */
const MOST_CALLS = 2

export const isEnabled = ({ world }: WorldSnapshot, { type }: WorldEvent) =>
  (world.calls.length < MOST_CALLS || type.startsWith('endpoint')) && modelEvents[type].enabled(world)

/** Every world that can be reached by those events, where they are offered, and what each of them leads to. */
export function explore(
  logic: WorldLogic,
  events: readonly ModelEventName[],
  isOffered: (event: ModelEventName, world: ModelState) => boolean = () => true,
): AdjacencyMap<WorldSnapshot, WorldEvent> {
  const mayHappen = (snapshot: WorldSnapshot, event: WorldEvent) =>
    isEnabled(snapshot, event) && isOffered(event.type, snapshot.world)
  return getAdjacencyMap(logic, {
    events: events.map((type) => ({ type })),
    filterEvents: mayHappen as never,
    serializeState: ({ world }) => serializeModelState(world),
    serializeEvent: ({ type }) => type,
    limit: Number.POSITIVE_INFINITY,
  }) as AdjacencyMap<WorldSnapshot, WorldEvent>
}
