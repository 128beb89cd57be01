import type { Surroundings } from '../surroundings.ts'

/** Whether nothing that the world did to lock, store or clock excuses that a page does not know what its sibling did. */
export const orderly = ({ config, tabs, store, clockWasSetBack, wiped }: Surroundings) =>
  config.coordinator === 'lock' && !broken({ store, tabs }) && !store.disordered && !clockWasSetBack && !wiped

export const broken = ({ store, tabs }: Pick<Surroundings, 'store' | 'tabs'>) =>
  store.failures > 0 || tabs.some(({ storageFailed }) => storageFailed)
