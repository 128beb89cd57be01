/**
 * A session in React Native: the environment of an app, and stores over AsyncStorage and the keychain.
 *
 * @module
 */
export type { Environment, SessionRecord, SessionStorage } from './core/ports.ts'
export {
  type AppStateLike,
  type NetInfoLike,
  type ReactNativeModules,
  reactNativeEnvironment,
} from './environment/react-native.ts'
export { type AsyncStorageLike, type AsyncStorageOptions, asyncStorage } from './storage/async-storage.ts'
export { type SecureStorageOptions, secureStorage } from './storage/secure-storage.ts'
export type { SecureStoreLike } from './storage/split-text.ts'
