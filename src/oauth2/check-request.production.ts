/** Production builds check no arguments. */
export function checkRequest(..._: readonly unknown[]): void {}
