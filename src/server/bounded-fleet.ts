import { StorageError } from '../core/errors.ts'
import type { Clock } from '../core/ports.ts'
import type { Fleet } from '../fleet/fleet.ts'

/**
 * The same fleet, whose calls wait a limited time: a connection may be open although its database does not answer. As with any error
 * of a database, what such a call has done is unknown.
 *
 * @param time how long a call may take, in milliseconds. Then it rejects with a `StorageError`, whose reason is `'timeout'`
 */
export function boundedFleet(fleet: Fleet, clock: Clock, time: number): Fleet {
  const within = <T>(call: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const timer = clock.setTimeout(() => {
        const message = 'The database of the sessions did not answer in time. Try again later.'
        reject(new StorageError(message, { reason: 'timeout' }))
      }, time)
      const stop = () => clock.clearTimeout(timer)
      // In a promise, because a fleet of the app may throw.
      Promise.resolve().then(call).then(resolve, reject).finally(stop)
    })
  return {
    lease: fleet.lease,
    notifies: fleet.notifies,
    read: (key) => within(() => fleet.read(key)),
    readStart: (key) => within(() => fleet.readStart(key)),
    replace: (key, next, expected) => within(() => fleet.replace(key, next, expected)),
    remove: (key, ended) => within(() => fleet.remove(key, ended)),
    find: (tag, cursor) => within(() => fleet.find(tag, cursor)),
    readLastUse: (key) => within(() => fleet.readLastUse(key)),
    writeLastUse: (key, ago) => within(() => fleet.writeLastUse(key, ago)),
    acquire: (key, owner, awaited) => within(() => fleet.acquire(key, owner, awaited)),
    present: (key, holder, rotation) => within(() => fleet.present(key, holder, rotation)),
    release: (key, holder, isSettled) => within(() => fleet.release(key, holder, isSettled)),
    publish: (key, message) => within(() => fleet.publish(key, message)),
    subscribe: (key, hear) => fleet.subscribe(key, hear),
  }
}
