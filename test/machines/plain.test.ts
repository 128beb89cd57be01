import { describe, expect, it, vi } from 'vitest'
import { createActor, type PromiseActorLogic } from 'xstate'
import { authMachine } from '../../machines/index.ts'
import { statesOf } from '../../src/testing/model/chart-parts.ts'

const { config, implementations } = authMachine as unknown as {
  config: object
  implementations: Record<'actions' | 'guards' | 'actors' | 'delays', Record<string, unknown>>
}

/** Every value in the chart's literal, with the path of keys that leads there. */
function* walk(value: unknown, path: readonly string[] = []): Generator<[readonly string[], unknown]> {
  yield [path, value]
  if (typeof value !== 'object' || value === null) return
  for (const [key, part] of Object.entries(value)) yield* walk(part, [...path, key])
}

/** The names the literal uses for one kind of thing. */
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

describe('the chart as it stands', () => {
  it.each(['actions', 'actors', 'delays'] as const)(
    'names %s that there are, and has none it does not name',
    (kind) => {
      expect([...namesOf(kind)].sort()).toEqual(Object.keys(implementations[kind]).sort())
    },
  )

  it('names guards that there are, and has none that nothing asks', () => {
    const there = Object.keys(implementations.guards)
    const named = namesOf('guards')
    expect([...named].filter((name) => !there.includes(name))).toEqual([])
    // Guards may be made of guards.
    const parts = (guard: unknown): string[] =>
      Object.values((guard as { guards?: unknown[] }).guards ?? []).flatMap((part) =>
        typeof part === 'string' ? [part, ...parts(implementations.guards[part])] : parts(part),
      )
    const asked = new Set([...named, ...[...named].flatMap((name) => parts(implementations.guards[name]))])
    expect(there.filter((name) => !asked.has(name))).toEqual([])
  })

  it('is made of names alone: no function but its context and the inputs of its actors', () => {
    const functions = [...walk(config)].filter(([, value]) => typeof value === 'function')
    for (const [path] of functions) expect(['context', 'input']).toContain(path.at(-1))
  })

  it('goes one way at a time: no transition has several targets', () => {
    for (const [path, value] of walk(config)) {
      if (path.at(-1) === 'target') expect(value, path.join('.')).toBeTypeOf('string')
    }
  })

  it('tells of each state it enters by the path of that state', () => {
    const told = statesOf(authMachine.root).flatMap(({ path, entry }) =>
      entry
        .filter((action) => (action as { type?: string }).type === 'enter')
        .map((action) => [path.join('.'), (action as unknown as { params: { to: string } }).params.to]),
    )
    expect(told.length).toBeGreaterThan(15)
    for (const [path, to] of told) expect(to).toBe(path)
    for (const [name, node] of Object.entries(authMachine.states)) {
      const entered = node.entry.some((action) => (action as { type?: string }).type === 'enter')
      expect(entered, name).toBe(true)
    }
  })

  it('says what each state is for', () => {
    for (const node of statesOf(authMachine.root)) {
      const describable = node.type !== 'parallel' && node.parent?.type !== 'parallel'
      if (
        describable &&
        node.path.join('.') !== 'restoring.reading' &&
        node.path.join('.') !== 'restoring.backingOff'
      ) {
        expect(node.config.description, node.path.join('.')).toBeTypeOf('string')
      }
    }
  })

  it.each(Object.keys(implementations.actors))('refuses to invoke %s by itself', async (name) => {
    const actor = createActor(implementations.actors[name] as PromiseActorLogic<unknown>)
    const failed = new Promise((resolve) => actor.subscribe({ error: resolve }))
    actor.start()
    expect(await failed).toMatchObject({ message: expect.stringContaining('Use createAuth()') })
  })

  it('refuses to run by itself, and says what to call', async () => {
    const actor = createActor(authMachine, {
      input: { policy: { attempts: 1, ambiguousRefresh: 'retry', silentSignIn: false, restores: true } },
    })
    const errors: unknown[] = []
    // XState warns of the invoked actor's event, which nobody is left to hear.
    vi.spyOn(console, 'warn').mockImplementation(() => {})
    actor.subscribe({ error: (error) => void errors.push(error) })
    actor.start()
    await new Promise((resolve) => setImmediate(resolve))
    vi.restoreAllMocks()
    expect(actor.getSnapshot().status).toBe('error')
    expect(errors).toEqual([
      new Error('The auth machine was started without its implementations. Use createAuth().'),
    ])
  })
})
