import { StorageError } from '../core/errors.ts'
import { PatientClock } from '../core/platform/patient-clock.ts'
import type { Clock } from '../core/ports.ts'
import type { Fleet } from '../fleet/fleet.ts'

/** The refresh token leaves after three calls in a row, and each may take twice the usual time. */
const CALLS_OF_A_TURN = 6
/** The longest turn of a database that answers slowly, in milliseconds. */
const LONGEST_LEASE = 15_000
/** How much one call counts for the usual time of a call. */
const WEIGHT = 0.1

/**
 * The same fleet, whose calls wait a limited time: a connection may be open although its database does not answer. As with any error
 * of a database, what such a call has done is unknown.
 *
 * If calls take long, turns last longer, too. Otherwise each turn would be taken over before its refresh token leaves, and no process
 * would refresh any more.
 *
 * @param time how long a call may take, in milliseconds. Then it rejects with a `StorageError`, whose reason is `'timeout'`
 */
export function boundedFleet(fleet: Fleet, clock: Clock, time: number): Fleet {
  let usualTime = 0
  const timers = new PatientClock(clock)
  const within = <T>(call: () => Promise<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      const began = performance.now()
      let isLate = false
      // Of a call that is answered, or that waits too long. One that fails at once says nothing.
      const measure = () => {
        usualTime += WEIGHT * (performance.now() - began - usualTime)
      }
      const timer = timers.setTimeout(() => {
        isLate = true
        measure()
        const message = 'The database of the sessions did not answer in time. Try again later.'
        reject(new StorageError(message, { reason: 'timeout' }))
      }, time)
      const stop = () => timers.clearTimeout(timer)
      // In a promise, because a fleet of the app may throw.
      const answered = (answer: T) => {
        if (!isLate) measure()
        resolve(answer)
      }
      Promise.resolve().then(call).then(answered, reject).finally(stop)
    })
  return {
    get lease() {
      return Math.max(fleet.lease, Math.min(CALLS_OF_A_TURN * usualTime, LONGEST_LEASE))
    },
    notifies: fleet.notifies,
    read: (key) => within(() => fleet.read(key)),
    readStart: (key) => within(() => fleet.readStart(key)),
    replace: (key, next, expected) => within(() => fleet.replace(key, next, expected)),
    remove: (key, ended) => within(() => fleet.remove(key, ended)),
    find: (tag, cursor) => within(() => fleet.find(tag, cursor)),
    readLastUse: (key) => within(() => fleet.readLastUse(key)),
    writeLastUse: (key, ago) => within(() => fleet.writeLastUse(key, ago)),
    acquire: (key, owner, awaited, lease) => within(() => fleet.acquire(key, owner, awaited, lease)),
    present: (key, holder, presented, lease) => within(() => fleet.present(key, holder, presented, lease)),
    release: (key, holder, isSettled) => within(() => fleet.release(key, holder, isSettled)),
    publish: (key, message) => within(() => fleet.publish(key, message)),
    subscribe: (key, hear) => fleet.subscribe(key, hear),
  }
}
