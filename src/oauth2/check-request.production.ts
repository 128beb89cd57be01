/** Production builds check no arguments. */
export function checkRequest(..._: readonly unknown[]): void {}

export function checkBranch(..._: readonly unknown[]): void {}
