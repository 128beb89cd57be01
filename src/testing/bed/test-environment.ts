import type { Environment, EnvironmentSignal } from '../../core/ports.ts'

/** A machine whose network and screen do as the test says. */
export interface TestEnvironment extends Environment {
  /** Tells what a browser would, and goes offline or online by it. */
  signal(kind: EnvironmentSignal): void
}

export function createTestEnvironment(): TestEnvironment {
  const listeners: Record<EnvironmentSignal, Set<() => void>> = {
    online: new Set(),
    offline: new Set(),
    visible: new Set(),
    wake: new Set(),
  }
  let online = true
  return {
    online: () => online,
    subscribe(kind, listener) {
      listeners[kind].add(listener)
      return () => listeners[kind].delete(listener)
    },
    signal(kind) {
      if (kind === 'online' || kind === 'offline') online = kind === 'online'
      for (const listener of listeners[kind]) listener()
    },
  }
}
