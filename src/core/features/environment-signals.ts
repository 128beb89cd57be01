import type { Kernel } from '../kernel.ts'

/** The chart's event for each signal of the environment. */
export const ENVIRONMENT_EVENTS = {
  online: 'environment.online',
  offline: 'environment.offline',
  visible: 'environment.resumed',
  wake: 'environment.resumed',
} as const

/**
 * Sends signals of the machine to the chart: the network came or went, the page is visible, the machine was resumed.
 *
 * @returns functions that stop it
 */
export function followEnvironment({ environment, mailbox, report }: Kernel): readonly (() => void)[] {
  const stops: (() => void)[] = []
  for (const kind of ['online', 'offline', 'visible', 'wake'] as const) {
    try {
      stops.push(environment.subscribe(kind, () => mailbox.send({ type: ENVIRONMENT_EVENTS[kind] })))
    } catch (error) {
      report(error)
    }
  }
  return stops
}
