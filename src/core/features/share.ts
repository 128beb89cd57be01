import { messageOf } from '../messages.ts'
import type { Coordinator, SessionStorage } from '../ports.ts'
import { PLACE, type Placed, type Removable } from '../session/same-store.ts'
import { SharedSession } from '../session/shared-session.ts'
import type { CreateSharing } from '../session/sharing.ts'
import {
  ATTACH,
  type CookieFeature,
  type CoordinatorFeature,
  type Feature,
  type StorageFeature,
} from './feature.ts'

/** Adds the code of a shared session to a store or a coordinator of the library. */
export const withSharing = <Port extends object>(port: Port & Placed & Removable): Port & Feature => ({
  ...port,
  [ATTACH]: share,
})

const share: CreateSharing = (kernel, vault, limits) => new SharedSession(kernel, vault, limits)

/**
 * Makes a store of your own an option of `createAuth`.
 *
 * @param storage reads, writes and clears the record; see `SessionStorage`
 * @returns the value of the option `storage`; its methods are those of `storage`
 * @throws TypeError if `read`, `write` or `clear` is missing
 *
 * @example
 * ```ts
 * const storage = defineStorage({
 *   read: () => database.get('session'),
 *   write: (record) => database.put('session', record),
 *   clear: () => database.delete('session'),
 * })
 * const auth = createAuth({ refresh, storage })
 * ```
 */
export function defineStorage(storage: SessionStorage): StorageFeature {
  checkMethods('defineStorage', storage, ['read', 'write', 'clear'])
  return withSharing<SessionStorage>({
    [PLACE]: () => [storage, ''],
    read: () => storage.read(),
    write: (record) => storage.write(record),
    clear: (ended) => storage.clear(ended),
    ...(storage.replace && { replace: storage.replace.bind(storage) }),
    ...(storage.subscribe && { subscribe: storage.subscribe.bind(storage) }),
    ...(storage.readLastUse && { readLastUse: storage.readLastUse.bind(storage) }),
    ...(storage.writeLastUse && { writeLastUse: storage.writeLastUse.bind(storage) }),
  })
}

/**
 * Makes a coordinator of your own an option of `createAuth`.
 *
 * @param coordinator gives out a lock and passes messages on; see `Coordinator`
 * @returns the value of the option `coordinator`
 * @throws TypeError if `exclusive`, `announce` or `subscribe` is missing
 *
 * @example
 * ```ts
 * const coordinator = defineCoordinator({
 *   exclusive: (name, task) => lockService.run(name, task),
 *   announce: (message) => bus.publish('session', message),
 *   subscribe: (listener) => bus.subscribe('session', listener),
 * })
 * ```
 */
export function defineCoordinator(coordinator: Coordinator): CoordinatorFeature {
  checkMethods('defineCoordinator', coordinator, ['exclusive', 'announce', 'subscribe'])
  return withSharing<Coordinator>({
    ...(coordinator.lock && { lock: coordinator.lock }),
    exclusive: (name, task, wait) => coordinator.exclusive(name, task, wait),
    announce: (message) => coordinator.announce(message),
    subscribe: (listener) => coordinator.subscribe(listener),
  })
}

/**
 * Cookie mode: the session may live in an HttpOnly cookie that no script can read, so only a refresh can show whether there
 * is one.
 *
 * @returns the value of the option `silentSignIn` of `createAuth`
 *
 * @example
 * ```ts
 * const auth = createAuth({ refresh, silentSignIn: fromCookie() })
 * await auth.ready()
 * ```
 */
export const fromCookie = (): CookieFeature => ({ kind: 'cookie', [ATTACH]: share })

function checkMethods(creator: string, given: object, names: readonly string[]): void {
  for (const name of names) {
    if (typeof (given as Record<string, unknown> | undefined)?.[name] !== 'function')
      throw new TypeError(messageOf('no_method', { detail: `${creator}: ${name}` }))
  }
}
