import { describe, expect, it, onTestFinished } from 'vitest'
import { tabCoordinator } from '../../src/coordination/tabs.ts'
import { type Coordinator, type CoordinatorMessage, createAuth, defineCoordinator } from '../../src/index.ts'
import { memoryStorage } from '../../src/storage/index.ts'

/** A coordinator whose methods are on the prototype and use private fields, so that each needs its `this`. */
class ClassCoordinator implements Coordinator {
  readonly announced: CoordinatorMessage[] = []
  readonly #tasks: string[] = []
  readonly #listeners = new Set<(message: CoordinatorMessage) => void>()

  get tasks(): readonly string[] {
    return this.#tasks
  }

  get listening(): number {
    return this.#listeners.size
  }

  exclusive<T>(name: string, task: () => Promise<T>): Promise<T> {
    this.#tasks.push(name)
    return task()
  }

  announce(message: CoordinatorMessage) {
    this.announced.push(message)
  }

  subscribe(listener: (message: CoordinatorMessage) => void) {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }
}

const refresh = () => ({ access_token: 'b', refresh_token: 's' })

describe('defineCoordinator', () => {
  it('createAuth uses every method of a class instance in defineCoordinator', async () => {
    const given = new ClassCoordinator()
    const auth = createAuth({ refresh, storage: memoryStorage(), coordinator: defineCoordinator(given) })
    expect(given.listening).toBe(1)
    await auth.setTokens({ access_token: 'a', refresh_token: 'r' })
    await auth.refresh()
    expect(given.tasks).toEqual(['refresh'])
    expect(given.announced.map(({ type }) => type)).toEqual(['changed', 'changed'])
    auth.dispose()
    expect(given.listening).toBe(0)
  })

  it('a copy of a coordinator with one method of its own is a value for the option coordinator', async () => {
    const tasks: string[] = []
    const auth = createAuth({
      refresh,
      initialTokens: { access_token: 'a', refresh_token: 'r' },
      coordinator: {
        ...tabCoordinator(),
        exclusive: (name, task) => {
          tasks.push(name)
          return task()
        },
      },
    })
    onTestFinished(() => auth.dispose())
    await auth.refresh()
    expect(tasks).toEqual(['refresh'])
  })

  it.each(['exclusive', 'announce', 'subscribe'])(
    'defineCoordinator throws a TypeError if %s is missing',
    (name) => {
      const complete: Coordinator = {
        exclusive: (_, task) => task(),
        announce() {},
        subscribe: () => () => {},
      }
      expect(() => defineCoordinator({ ...complete, [name]: undefined })).toThrow(
        new TypeError(`defineCoordinator: ${name} must be a function.`),
      )
    },
  )

  it('createAuth throws a TypeError that names defineCoordinator if the coordinator is a plain object', () => {
    const coordinator = new ClassCoordinator()
    expect(() => createAuth({ refresh, coordinator: coordinator as never })).toThrow(
      /coordinator must be .*defineCoordinator\(/,
    )
  })
})
