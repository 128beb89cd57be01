import type { Surroundings } from '../surroundings.ts'

/** Whether the lock, the store and the clock have worked, so that a page must know what another page did. */
export const orderly = ({ config, tabs, store, clockWasSetBack, wiped }: Surroundings) =>
  config.coordinator === 'lock' && !broken({ store, tabs }) && !store.disordered && !clockWasSetBack && !wiped

export const broken = ({ store, tabs }: Pick<Surroundings, 'store' | 'tabs'>) =>
  store.failures > 0 || tabs.some(({ storageFailed }) => storageFailed)
