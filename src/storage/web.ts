import type { StorageFeature } from '../core/features/feature.ts'
import { withSharing } from '../core/features/share.ts'
import type { SessionStorage } from '../core/ports.ts'
import { PLACE, WAIT } from '../core/session/same-store.ts'
import { isPrerendered, whenShown } from '../environment/prerendered.ts'
import { parseLastUse, parseRecord } from './json.ts'
import { TabOwner } from './tab-owner.ts'

/** Options of `webStorage`. */
export interface WebStorageOptions {
  /** The key of the session. Default: `'authchart'`. */
  readonly key?: string
}

/**
 * Stores the session in `localStorage` or `sessionStorage`. Every script of the page can read it there: see "Where tokens
 * live" in the documentation.
 *
 * A tab that is duplicated, or opened by a script, starts with a copy of `sessionStorage`. There the session lasts until its
 * first refresh: then it ends as `signed_out_elsewhere`, if the page that stored it still lives. That page goes on. A frame of
 * the same origin shares it with its page, and a page that the browser prerenders refreshes it only once it is shown.
 *
 * @param storage the storage, or a function that returns it. Use a function if reading `localStorage` may throw, or if the user
 * chooses at the sign-in whether the browser remembers the session
 * @param options the key, see `WebStorageOptions`
 * @returns the value of the option `storage` of `createAuth`. It reports the changes of other tabs
 *
 * @example
 * ```ts
 * createAuth({ refresh, storage: webStorage(() => localStorage) })
 * ```
 */
export function webStorage(
  storage: Storage | (() => Storage),
  options: WebStorageOptions = {},
): StorageFeature {
  const { key = 'authchart' } = options
  const lastUse = `${key}.last-use`
  const area = () => (typeof storage === 'function' ? storage() : storage)
  const owner = new TabOwner(area, key)
  let isRestored = false

  const load = () => parseRecord(area().getItem(key))

  async function loadUnlessCopied(other: string) {
    const copy = area()
    // The access token may be used in both tabs; only the refresh token may not.
    if (await owner.isCopyOf(other)) copy.removeItem(key)
    else owner.claim()
    return load()
  }

  return withSharing<SessionStorage>({
    [PLACE]: () => [area(), key],
    // Until a page is shown, its sessionStorage is a copy, and the page before it still refreshes the session.
    [WAIT]: () => (isRestored && owner.isNeeded ? whenShown() : undefined),
    read() {
      const { other } = owner
      if (other !== undefined && isRestored && !isPrerendered()) return loadUnlessCopied(other)
      isRestored = true
      const record = load()
      if (other === undefined && record !== undefined) owner.claim()
      return record
    },
    write(record) {
      area().setItem(key, JSON.stringify(record))
      owner.claim()
    },
    clear() {
      area().removeItem(key)
      area().removeItem(lastUse)
    },
    readLastUse: () => parseLastUse(area().getItem(lastUse)),
    writeLastUse(at) {
      area().setItem(lastUse, String(at))
    },
    subscribe(onChange) {
      if (typeof addEventListener !== 'function') return () => {}
      const onStorage = (event: StorageEvent) => {
        // `key` is null if the whole storage was cleared.
        if ((event.key === key || event.key === null) && event.storageArea === area()) onChange()
      }
      // While a page is in the back/forward cache, WebKit reports no changes to it.
      const onShow = ({ persisted }: PageTransitionEvent) => {
        if (persisted) onChange()
      }
      addEventListener('storage', onStorage)
      addEventListener('pageshow', onShow)
      let isStopped = false
      void whenShown()?.then(() => isStopped || onChange())
      const stop = typeof storage === 'function' || owner.isNeeded ? owner.start() : undefined
      return () => {
        removeEventListener('storage', onStorage)
        removeEventListener('pageshow', onShow)
        isStopped = true
        stop?.()
      }
    },
  })
}
