// Checked by `tsc` and never run, with the global types of React Native instead of those of the DOM.
import AsyncStorage from '@react-native-async-storage/async-storage'
import NetInfo from '@react-native-community/netinfo'
import * as SecureStore from 'expo-secure-store'
import { AppState } from 'react-native'
import { asyncStorage, reactNativeEnvironment, secureStorage } from '../../../src/react-native.ts'

// The types of the libraries fit without a cast.
reactNativeEnvironment({ AppState, NetInfo })
reactNativeEnvironment({ AppState })
asyncStorage(AsyncStorage, { key: 'session' })
secureStorage(SecureStore)
secureStorage(SecureStore, { access: { keychainAccessible: SecureStore.AFTER_FIRST_UNLOCK } })
// @ts-expect-error: the store has no such option.
secureStorage(SecureStore, { access: { keychainAccesible: SecureStore.AFTER_FIRST_UNLOCK } })
