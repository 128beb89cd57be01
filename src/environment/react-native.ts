import type { Environment, EnvironmentSignal } from '../core/ports.ts'

/** The part of `AppState` of `react-native` that is used. Its type fits without a cast. */
export interface AppStateLike {
  /** Calls back when the app enters the foreground (`'active'`), leaves it, or becomes inactive. */
  addEventListener(
    type: 'change',
    listener: (state: string) => void,
  ): {
    /** Removes the listener. */
    remove(): void
  }
}

/** The part of `@react-native-community/netinfo` that is used. Its type fits without a cast. */
export interface NetInfoLike {
  /** Calls back soon after the call, and on each change of the network. Returns a function that stops it. */
  addEventListener(listener: (state: { readonly isConnected: boolean | null }) => void): () => void
}

/** What `reactNativeEnvironment` takes. */
export interface ReactNativeModules {
  /** `AppState` of `react-native`. Its change to `'active'` counts as visible again. */
  readonly AppState: AppStateLike
  /** Without it, the network counts as available. */
  readonly NetInfo?: NetInfoLike
}

/**
 * The environment of an app in React Native. It reports that the app is in the foreground again, so that the session checks its clock
 * because timers stop in the background, and that the network was lost or is back.
 *
 * @param modules `AppState` of `react-native`, and `NetInfo` of `@react-native-community/netinfo`
 * @returns the value of the option `environment` of `createAuth`
 *
 * @example
 * ```ts
 * import NetInfo from '@react-native-community/netinfo'
 * import { AppState } from 'react-native'
 *
 * createAuth({ refresh, environment: reactNativeEnvironment({ AppState, NetInfo }) })
 * ```
 */
export function reactNativeEnvironment({ AppState, NetInfo }: ReactNativeModules): Environment {
  const listeners: Readonly<Record<'online' | 'offline', Set<() => void>>> = {
    online: new Set(),
    offline: new Set(),
  }
  // NetInfo reports the current state soon after it is subscribed to. Until then nothing is certain.
  let isOnline = true
  let stopWatching: (() => void) | undefined

  function onNetwork({ isConnected }: { readonly isConnected: boolean | null }) {
    const wasOnline = isOnline
    isOnline = isConnected !== false
    if (isOnline === wasOnline) return
    for (const listener of listeners[isOnline ? 'online' : 'offline']) listener()
  }

  function followNetwork(kind: 'online' | 'offline', listener: () => void): () => void {
    // A function of its own, so that each subscription ends by itself.
    const entry = () => listener()
    listeners[kind].add(entry)
    stopWatching ??= NetInfo?.addEventListener(onNetwork)
    return () => {
      listeners[kind].delete(entry)
      if (listeners.online.size + listeners.offline.size > 0) return
      stopWatching?.()
      stopWatching = undefined
      isOnline = true
    }
  }

  return {
    online: () => isOnline,
    subscribe(kind: EnvironmentSignal, listener) {
      if (kind === 'online' || kind === 'offline') return followNetwork(kind, listener)
      // An app that was suspended returns to the foreground: one signal is enough for both.
      if (kind === 'wake') return () => {}
      const subscription = AppState.addEventListener('change', (state) => {
        if (state === 'active') listener()
      })
      return () => subscription.remove()
    },
  }
}
