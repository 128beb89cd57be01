// The parts of `react-native` that its libraries import here, without its components.
export const AppState = require('react-native/Libraries/AppState/AppState').default
export const NativeEventEmitter = require('react-native/Libraries/EventEmitter/NativeEventEmitter').default
export const NativeModules = globalThis.nativeModuleProxy
export const Platform = require('react-native/Libraries/Utilities/Platform').default
