import type { TokenServerRequest } from '../../src/testing/token-server/requests.ts'

/** How often sessions were refreshed. */
export interface Refreshes {
  readonly refreshes: number
  /** Those of a token that was not due yet. */
  readonly early: number
  /** Refreshes for each time that a token was due. */
  readonly perExpiry: number
}

/** A token is due when a fifth of its lifetime is left. Less than this share of its lifetime is certainly too early. */
const DUE = 0.75

/** @param began when the sessions were signed in, in milliseconds since the Unix epoch */
export function refreshesIn(log: readonly TokenServerRequest[], lifetime: number, began: number): Refreshes {
  const last = new Map<string, number>()
  let refreshes = 0
  let early = 0
  for (const { path, status, bodyText, at } of log) {
    if (path !== '/token' || status !== 200) continue
    refreshes++
    const [, family = ''] = /refresh_token=rt-(\d+)-/.exec(bodyText) ?? []
    if (at - (last.get(family) ?? began) < lifetime * DUE) early++
    last.set(family, at)
  }
  return { refreshes, early, perExpiry: refreshes / Math.max(1, refreshes - early) }
}

/** The number of the newest refresh token of each family that was refreshed. The first one of a family has the number 1. */
export function newestTokens(log: readonly TokenServerRequest[]): ReadonlyMap<string, number> {
  const newest = new Map<string, number>()
  for (const { path, status, bodyText } of log) {
    const [, family = '', number = ''] = /refresh_token=rt-(\d+)-(\d+)-/.exec(bodyText) ?? []
    if (path !== '/token' || status !== 200 || family === '') continue
    newest.set(family, Math.max(newest.get(family) ?? 1, Number(number) + 1))
  }
  return newest
}
