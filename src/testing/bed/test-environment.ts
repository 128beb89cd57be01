import type { Environment, EnvironmentSignal } from '../../core/ports.ts'

/** An environment whose signals the test emits. */
export interface TestEnvironment extends Environment {
  /** Emits a signal as a browser would. `'offline'` and `'online'` also change `online()`. */
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
