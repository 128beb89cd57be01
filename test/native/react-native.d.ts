// What the pages use of `react-native`. Its own types would replace the global types of the DOM in all other snippets.
import type { ComponentType, ReactNode } from 'react'

type State = 'active' | 'background' | 'inactive'
export declare const AppState: {
  addEventListener(type: 'change', listener: (state: State) => void): { remove(): void }
}
export declare const Modal: ComponentType<{ visible: boolean; children: ReactNode }>
export declare const Pressable: ComponentType<{ onPress(): unknown; children: ReactNode }>
export declare const Text: ComponentType<{ children: ReactNode }>
