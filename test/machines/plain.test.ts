import { describe, expect, it, vi } from 'vitest'
import { createActor, type PromiseActorLogic } from 'xstate'
import { authMachine } from '../../machines/index.ts'
import { createAuth } from '../../src/index.ts'
import { statesOf } from '../../src/testing/model/chart-parts.ts'

const { config, implementations } = authMachine as unknown as {
  config: object
  implementations: Record<'actions' | 'guards' | 'actors' | 'delays', Record<string, unknown>>
}

/** Every value in the literal of the chart, with its path of keys. */
function* walk(value: unknown, path: readonly string[] = []): Generator<[readonly string[], unknown]> {
  yield [path, value]
  if (typeof value !== 'object' || value === null) return
  for (const [key, part] of Object.entries(value)) yield* walk(part, [...path, key])
}

/** The names of one kind that the literal uses. */
function namesOf(kind: 'actions' | 'guards' | 'actors' | 'delays'): Set<string> {
  const names = new Set<string>()
  for (const [path, value] of walk(config)) {
    const key = path.at(-1)
    const parent = path.at(-2)
    const inActions = ['actions', 'entry', 'exit'].includes(
      /^\d+$/.test(key ?? '') ? (parent ?? '') : (key ?? ''),
    )
    if (kind === 'actions' && inActions) {
      if (typeof value === 'string') names.add(value)
      else if (!Array.isArray(value)) names.add((value as { type: string }).type)
    }
    if (kind === 'guards' && key === 'guard') names.add(value as string)
    if (kind === 'actors' && key === 'src') names.add(value as string)
    if (kind === 'delays' && key === 'after') for (const name of Object.keys(value as object)) names.add(name)
  }
  return names
}

describe('the literal of the chart', () => {
  it.each(['actions', 'actors', 'delays'] as const)(
    'uses only implemented %s, and every implementation is used',
    (kind) => {
      expect([...namesOf(kind)].sort()).toEqual(Object.keys(implementations[kind]).sort())
    },
  )

  it('uses only implemented guards, and every implementation is used, at least by another guard', () => {
    const implemented = Object.keys(implementations.guards)
    const named = namesOf('guards')
    expect([...named].filter((name) => !implemented.includes(name))).toEqual([])
    // A guard may combine other guards.
    const parts = (guard: unknown): string[] =>
      Object.values((guard as { guards?: unknown[] }).guards ?? []).flatMap((part) =>
        typeof part === 'string' ? [part, ...parts(implementations.guards[part])] : parts(part),
      )
    const asked = new Set([...named, ...[...named].flatMap((name) => parts(implementations.guards[name]))])
    expect(implemented.filter((name) => !asked.has(name))).toEqual([])
  })

  it('contains only names: no function except its context and the inputs of its actors', () => {
    const functions = [...walk(config)].filter(([, value]) => typeof value === 'function')
    for (const [path] of functions) expect(['context', 'input']).toContain(path.at(-1))
  })

  it('has no transition with several targets', () => {
    for (const [path, value] of walk(config)) {
      if (path.at(-1) === 'target') expect(value, path.join('.')).toBeTypeOf('string')
    }
  })

  it('describes every state', () => {
    for (const node of statesOf(authMachine.root)) {
      expect(node.config.description, node.path.join('.')).toBeTypeOf('string')
    }
  })

  it('describes every transition', () => {
    for (const [path, value] of walk(config)) {
      const isTransition = typeof value === 'object' && value !== null && 'target' in value
      if (isTransition) expect(value, path.join('.')).toHaveProperty('description')
    }
  })

  it.each(Object.keys(implementations.actors))('does not run %s without its ports', async (name) => {
    const actor = createActor(implementations.actors[name] as PromiseActorLogic<unknown>, {
      input: { session: {}, attempt: 0 },
    })
    const failed = new Promise((resolve) => actor.subscribe({ error: resolve }))
    actor.start()
    expect(await failed).toMatchObject({ message: expect.stringContaining('Use createAuth()') })
  })

  it('does not run without its ports, and its error names createAuth()', async () => {
    const actor = createActor(authMachine, {
      input: {
        policy: {
          refreshOn: 'timer',
          attempts: 1,
          coolDown: 1,
          ambiguousRefresh: 'retry',
          silentSignIn: false,
          restores: true,
        },
        session: {},
      },
    })
    const errors: unknown[] = []
    // XState warns about an event of the invoked actor, because the machine has stopped.
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    actor.subscribe({ error: (error) => void errors.push(error) })
    actor.start()
    await new Promise((resolve) => setImmediate(resolve))
    vi.restoreAllMocks()
    expect(actor.getSnapshot().status).toBe('error')
    expect(errors).toEqual([new Error('The auth machine was started without its ports. Use createAuth().')])
  })
})

describe('two sessions', () => {
  it('share one machine object, and each has its own key', () => {
    using one = createAuth({ refresh: () => ({ access_token: 'a' }) })
    using other = createAuth({ refresh: () => ({ access_token: 'a' }) })
    expect(one.actor.logic).toBe(authMachine)
    expect(other.actor.logic).toBe(authMachine)
    const [key, otherKey] = [one, other].map(({ actor }) => actor.getSnapshot().context.session)
    expect(key).not.toBe(otherKey)
  })
})
