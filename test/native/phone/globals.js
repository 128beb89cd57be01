// What `setUpXHR` of React Native puts into the global scope.
import './device.js'
import { AbortController, AbortSignal } from 'abort-controller/dist/abort-controller'

Object.assign(globalThis, { AbortController, AbortSignal })
globalThis.FormData = require('react-native/Libraries/Network/FormData').default
globalThis.Blob = require('react-native/Libraries/Blob/Blob').default
globalThis.FileReader = require('react-native/Libraries/Blob/FileReader').default
Object.assign(globalThis, require('react-native/Libraries/Blob/URL'))
// After `Blob`, which it looks for.
globalThis.XMLHttpRequest = require('react-native/Libraries/Network/XMLHttpRequest').default
require('react-native/Libraries/Network/fetch')
