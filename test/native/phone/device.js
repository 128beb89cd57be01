// What an app finds on a phone before its own code runs: the native modules of React Native. Their JavaScript is the real one.
// Only the native side is replaced: the network is a function, time is virtual, and blobs are texts.
const modules = {}
let turn
globalThis.global = globalThis
globalThis.window = globalThis
globalThis.self = globalThis
globalThis.navigator = { product: 'ReactNative' }
globalThis.RN$Bridgeless = true
globalThis.nativeModuleProxy = modules

const timers = []
let now = 1_700_000_000_000
let lastId = 0

Date.now = () => now
globalThis.performance = { now: () => now - 1_700_000_000_000 }
globalThis.setTimeout = (callback, delay = 0) => {
  timers.push({ id: ++lastId, at: now + Math.max(0, delay), callback })
  return lastId
}
globalThis.clearTimeout = (id) => {
  const index = timers.findIndex((timer) => timer.id === id)
  if (index >= 0) timers.splice(index, 1)
}
globalThis.setImmediate = (callback) => setTimeout(callback, 0)
globalThis.clearImmediate = globalThis.clearTimeout
globalThis.setInterval = (callback, delay) => {
  const id = setTimeout(function again() {
    timers.push({ id, at: now + delay, callback: again })
    callback()
  }, delay)
  return id
}
globalThis.clearInterval = globalThis.clearTimeout
globalThis.queueMicrotask ??= (callback) => void Promise.resolve().then(callback)

/** Runs the timers in their order, one in each turn of the host's event loop, until `work` is settled. */
export function run(work, hostTurn) {
  turn = hostTurn
  let settled = false
  work.then(
    () => (settled = true),
    () => (settled = true),
  )
  const step = () => {
    if (settled) return
    timers.sort((one, other) => one.at - other.at || one.id - other.id)
    const next = timers.shift()
    if (next) {
      now = Math.max(now, next.at)
      next.callback()
    }
    turn(step)
  }
  turn(step)
}

/** The phone sleeps: time passes, and no timer runs. */
export const sleep = (milliseconds) => {
  now += milliseconds
}

const blobs = new Map()
modules.BlobModule = {
  getConstants: () => ({ BLOB_URI_SCHEME: 'blob', BLOB_URI_HOST: null }),
  addNetworkingHandler() {},
  createFromParts(parts, id) {
    blobs.set(
      id,
      parts.map(({ data }) => (typeof data === 'string' ? data : blobs.get(data.blobId))).join(''),
    )
  },
  release(id) {
    blobs.delete(id)
  },
}
modules.FileReaderModule = {
  readAsText: async ({ blobId }) => blobs.get(blobId),
  readAsDataURL: async ({ blobId }) => `data:;base64,${btoa(blobs.get(blobId))}`,
}

const emitter = () => require('react-native/Libraries/EventEmitter/RCTDeviceEventEmitter').default
/** Emits an event of a native module. */
export const emit = (name, ...values) => emitter().emit(name, ...values)

let answer
/** Sets what answers requests: a function of a request that returns an answer. */
export const connect = (network) => {
  answer = network
}
let requests = 0
modules.Networking = {
  addListener() {},
  removeListeners() {},
  sendRequest({ method, url, data, headers, responseType }, callback) {
    const id = ++requests
    callback(id)
    const body = data.string ?? (data.blob ? blobs.get(data.blob.blobId) : data.formData)
    setTimeout(() => {
      let reply
      try {
        reply = answer({ method, url, headers, body })
      } catch {
        return emit('didCompleteNetworkResponse', [
          id,
          'The Internet connection appears to be offline.',
          false,
        ])
      }
      emit('didReceiveNetworkResponse', [id, reply.status, reply.headers ?? {}, url])
      const text = reply.body ?? ''
      if (responseType === 'blob') {
        const blobId = `answer-${id}`
        blobs.set(blobId, text)
        emit('didReceiveNetworkData', [id, { blobId, offset: 0, size: text.length, type: '' }])
      } else emit('didReceiveNetworkData', [id, text])
      emit('didCompleteNetworkResponse', [id, null, false])
    }, 5)
  },
  abortRequest() {},
}
modules.AppState = {
  getConstants: () => ({ initialAppState: 'active' }),
  getCurrentAppState: (onState) => onState({ app_state: 'active' }),
  addListener() {},
  removeListeners() {},
}
let network = { type: 'wifi', isConnected: true, isInternetReachable: true, details: {} }
modules.RNCNetInfo = {
  addListener() {},
  removeListeners() {},
  getCurrentState: async () => network,
  configure() {},
}
/** The network is lost, or is back. */
export const setConnected = (isConnected) => {
  network = { ...network, type: isConnected ? 'wifi' : 'none', isConnected, isInternetReachable: isConnected }
  emit('netInfo.networkStatusDidChange', network)
}
modules.PlatformConstants = {
  getConstants: () => ({ isTesting: true, reactNativeVersion: { major: 0, minor: 83, patch: 9 } }),
}
