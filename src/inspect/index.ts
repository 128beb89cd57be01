/**
 * Observers of a session: for the console, for Stately's inspector, for OpenTelemetry, and your own.
 *
 * @module
 */
export { type ConsoleLike, type ConsoleObserverOptions, consoleObserver } from './console.ts'
export type { ConsoleStyle } from './console-style.ts'
export type {
  AuthObserver,
  Fact,
  InspectedContext,
  InspectedEvent,
  InspectedSnapshot,
  InspectionFrame,
} from './frames.ts'
export { type InspectableAuth, type InspectOptions, inspectAuth } from './inspect-auth.ts'
export { type InspectRequestsOptions, inspectRequests } from './inspect-requests.ts'
export { openTelemetryObserver } from './open-telemetry.ts'
export type { RequestFrame, RequestObserver } from './request-frames.ts'
export { type StatelyInspector, statelyObserver } from './stately.ts'
export type { TelemetryMeter, TelemetryOptions, TelemetrySpan, TelemetryTracer } from './telemetry.ts'
