import type { AuthEvent } from '../../machines/index.ts'
import type { AuthActor } from '../../src/core/auth-actor.ts'

/** Sends an event to the chart as the core does. `auth.actor.send` takes only the events of an app. */
export function deliver(auth: { readonly actor: unknown }, event: AuthEvent): void {
  const actor = auth.actor as AuthActor
  actor.deliver(event)
}
