import { describe, expect, it, vi } from 'vitest'
import { reactNativeEnvironment } from '../../src/react-native.ts'

interface NetworkState {
  readonly isConnected: boolean | null
}

/** The modules of an app, whose states a test changes. */
function createModules() {
  const onState = new Set<(state: string) => void>()
  const onNetwork = new Set<(state: NetworkState) => void>()
  return {
    AppState: {
      addEventListener(_: 'change', listener: (state: string) => void) {
        onState.add(listener)
        return { remove: () => void onState.delete(listener) }
      },
    },
    NetInfo: {
      addEventListener(listener: (state: NetworkState) => void) {
        onNetwork.add(listener)
        return () => void onNetwork.delete(listener)
      },
    },
    state: (state: string) => {
      for (const listener of [...onState]) listener(state)
    },
    network: (isConnected: boolean | null) => {
      for (const listener of [...onNetwork]) listener({ isConnected })
    },
    listening: () => onState.size + onNetwork.size,
  }
}

describe('the environment of React Native', () => {
  it('emits "visible" when the app is active again, until the listener is removed', () => {
    const modules = createModules()
    const listener = vi.fn()
    const stop = reactNativeEnvironment(modules).subscribe('visible', listener)
    for (const state of ['inactive', 'background', 'unknown']) modules.state(state)
    expect(listener).not.toHaveBeenCalled()
    modules.state('active')
    expect(listener).toHaveBeenCalledOnce()
    stop()
    modules.state('active')
    expect(listener).toHaveBeenCalledOnce()
    expect(modules.listening()).toBe(0)
  })

  it('counts as online until NetInfo reports a lost connection', () => {
    const modules = createModules()
    const environment = reactNativeEnvironment(modules)
    expect(environment.online()).toBe(true)
    const stop = environment.subscribe('online', () => {})
    modules.network(null)
    expect(environment.online()).toBe(true)
    modules.network(false)
    expect(environment.online()).toBe(false)
    stop()
    // Nothing is known any more.
    expect(environment.online()).toBe(true)
  })

  it('emits "offline" and "online" once for each change, however many listeners there are', () => {
    const modules = createModules()
    const environment = reactNativeEnvironment(modules)
    const [online, offline] = [vi.fn(), vi.fn()]
    const stops = [
      environment.subscribe('online', online),
      environment.subscribe('offline', offline),
      environment.subscribe('offline', offline),
    ]
    expect(modules.listening()).toBe(1)
    modules.network(true)
    modules.network(false)
    modules.network(false)
    expect(online).not.toHaveBeenCalled()
    expect(offline).toHaveBeenCalledTimes(2)
    modules.network(true)
    expect(online).toHaveBeenCalledOnce()
    for (const stop of stops) {
      stop()
      stop()
    }
    expect(modules.listening()).toBe(0)
  })

  it('is always online without NetInfo', () => {
    const environment = reactNativeEnvironment({ AppState: createModules().AppState })
    environment.subscribe('offline', () => expect.unreachable())()
    expect(environment.online()).toBe(true)
  })
})
